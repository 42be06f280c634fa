"""A user error keeps its message on the way out of a data loader's worker."""

from torch.utils.data import DataLoader

from sdpose.errors import DataError, UserError


class _Failing:
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        raise DataError('image a/b.jpg is missing (image id 1):\n  second line')


def test_message_is_that_of_the_worker_without_its_traceback() -> None:
    try:
        next(iter(DataLoader(_Failing(), num_workers=1)))
    except UserError as error:
        assert type(error) is DataError
        assert str(error) == 'image a/b.jpg is missing (image id 1):\n  second line'
    else:
        raise AssertionError('the worker did not fail')


def test_plain_message_is_untouched() -> None:
    assert str(UserError('Caught between two stools')) == 'Caught between two stools'
