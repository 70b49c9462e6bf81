"""The extract stream: snappy frames around records, each a little-endian length and one op."""

import struct
from typing import IO, Any, Iterator

import snappy
import protocol

CHUNK = 65536


class Broken(protocol.Refused):
    """The stream ended inside of a record, or is no such stream; the text is what pachctl says."""


def records(file: IO[bytes]) -> Iterator[bytes]:
    """The records of a stream, up to its end. Raises Broken at an end inside of one."""
    decompressor = snappy.StreamDecompressor()
    data, position = bytearray(), 0
    while piece := file.read(1 << 20):
        del data[:position]
        position = 0
        data += _decompressed(decompressor, piece)
        while len(data) - position >= 8:
            size = struct.unpack_from("<q", data, position)[0]
            if len(data) - position - 8 < size:
                break
            yield bytes(data[position + 8:position + 8 + size])
            position += 8 + size
    _flush(decompressor)
    if position != len(data):
        raise Broken("unexpected EOF")


def ops(file: IO[bytes]) -> Iterator[Any]:
    parse = protocol.module("admin").Op.FromString
    for record in records(file):
        yield parse(record)


def write(file: IO[bytes], every: Iterator[Any]) -> None:
    """All ops as one stream."""
    compressor = snappy.StreamCompressor()
    waiting = bytearray()
    for op in every:
        data = op.SerializeToString()
        waiting += struct.pack("<q", len(data)) + data
        while len(waiting) >= CHUNK:
            file.write(compressor.compress(bytes(waiting[:CHUNK])))
            del waiting[:CHUNK]
    file.write(compressor.compress(bytes(waiting)))


def _decompressed(decompressor: Any, piece: bytes) -> bytes:
    try:
        return decompressor.decompress(piece)
    except snappy.UncompressError as error:
        raise Broken(f"snappy: corrupt input ({error})") from error


def _flush(decompressor: Any) -> None:
    try:
        decompressor.flush()
    except snappy.UncompressError as error:
        raise Broken("unexpected EOF") from error
