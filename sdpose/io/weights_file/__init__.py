"""Reading checkpoint files: what torch.save writes, and nothing else.

torch's own reader believes the numbers that a file holds: a tensor said to be larger than its record is read beyond
it, ``bytearray(10**11)`` takes memory, checksums are not read, and types can only be added to its list whole. Here
nothing that a file names is called: each type is rebuilt by a function that checks what it is given.

==================  ================================================================================
module              what it reads
==================  ================================================================================
``file``            a file: which layout it has, and what is said of one that cannot be read
``archive``         the zip layout of torch >= 1.6: sizes, checksums, records
``legacy``          the layout before
``safe_layout``     the layout of safetensors
``pickles``         the part of Python's pickle format that both hold
``names``           the closed table of the names in it
``storages``        a file's bytes, each read once, on their device
``tensors``         tensors on storages of checked size
``arrays``          NumPy's arrays and scalars
``logs``            the log history of MMEngine
``budget``          how much may be made of how many bytes
``faults``          why a file is not read
``whole``           whether the object is plain through and through, and no cycle
``form``            whether the content has the form that MMEngine's runner relies on
``finite``          NaN and infinite weights
==================  ================================================================================
"""

from .file import load_file
from .finite import require_finite
from .form import checked, unwrapped
from .safe_layout import pack_safetensors

__all__ = ['checked', 'load_file', 'pack_safetensors', 'require_finite', 'unwrapped']
