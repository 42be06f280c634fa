"""Small files that declare huge pictures, in every format that has a header of its own."""

import struct
import zlib
from functools import cache

import cv2
import numpy as np

SIDE = 30000


@cache
def png(side: int = SIDE) -> bytes:
    """A complete one: 110 kB of black pixels, one bit each."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

    header = struct.pack('>IIBBBBB', side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', pixels) + chunk(b'IEND', b'')


def _small(ending: str, *options: int) -> bytearray:
    return bytearray(cv2.imencode(ending, np.full((16, 16, 3), 90, np.uint8), options)[1].tobytes())


def jpeg(side: int = SIDE) -> bytes:
    """One whose frame header, behind the marker FF C0, says more than its pixels."""
    content = _small('.jpg')
    struct.pack_into('>HH', content, content.index(b'\xff\xc0') + 5, side, side)
    return bytes(content)


def gif(side: int = SIDE) -> bytes:
    content = _small('.gif')
    struct.pack_into('<HH', content, 6, side, side)
    return bytes(content)


def bmp(side: int = SIDE) -> bytes:
    content = _small('.bmp')
    struct.pack_into('<II', content, 18, side, side)
    return bytes(content)


def ppm(side: int = SIDE) -> bytes:
    return b'P6\n%d %d\n255\n' % (side, side) + bytes(48)


def tiff(side: int = SIDE) -> bytes:
    content = _small('.tiff')
    (start,) = struct.unpack_from('<I', content, 4)
    for number in range(struct.unpack_from('<H', content, start)[0]):
        entry = start + 2 + 12 * number
        if struct.unpack_from('<H', content, entry)[0] in (256, 257):  # width, height
            struct.pack_into('<HII', content, entry + 2, 4, 1, side)
    return bytes(content)


def webp(side: int = 16384) -> bytes:
    """The largest that the format can say: 14 bits for each side less one, behind the lossless signature."""
    content = _small('.webp', cv2.IMWRITE_WEBP_QUALITY, 101)
    place = content.index(b'VP8L') + 9
    (bits,) = struct.unpack_from('<I', content, place)
    struct.pack_into('<I', content, place, bits >> 28 << 28 | side - 1 << 14 | side - 1)
    return bytes(content)


ALL = dict(png=png, jpg=jpeg, gif=gif, bmp=bmp, ppm=ppm, tif=tiff, webp=webp)
