"""The extract stream: snappy frames around records, each a little-endian length and one op."""

import struct
from typing import IO, Any, Iterator

import snappy
import protocol

CHUNK = 65536
HEAD = 4  # bytes before a chunk: its type and, little-endian, its size


class Broken(protocol.Refused):
    """The stream ended inside of a record, or is no such stream; the text is what pachctl says."""


def records(file: IO[bytes]) -> Iterator[bytes]:
    """The records of a stream, up to its end. Raises Broken at an end inside of one."""
    data, position = bytearray(), 0
    for piece in _pieces(file):
        del data[:position]
        position = 0
        data += piece
        while len(data) - position >= 8:
            size = struct.unpack_from("<q", data, position)[0]
            if len(data) - position - 8 < size:
                break
            yield bytes(data[position + 8:position + 8 + size])
            position += 8 + size
    if position != len(data):
        raise Broken("unexpected EOF")


def ops(file: IO[bytes]) -> Iterator[Any]:
    parse = protocol.module("admin").Op.FromString
    for record in records(file):
        yield parse(record)


def framed(op: Any) -> bytes:
    """One record."""
    data = op.SerializeToString()
    return struct.pack("<q", len(data)) + data


def write(file: IO[bytes], every: Iterator[Any]) -> None:
    """All ops as one stream."""
    compressor = snappy.StreamCompressor()
    waiting = bytearray()
    for op in every:
        waiting += framed(op)
        while len(waiting) >= CHUNK:
            file.write(compressor.compress(bytes(waiting[:CHUNK])))
            del waiting[:CHUNK]
    file.write(compressor.compress(bytes(waiting)))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What each chunk of the frames holds. The decompressor does not tell an end inside of one, so its head is read here."""
    decompressor = snappy.StreamDecompressor()
    while head := file.read(HEAD):
        size = int.from_bytes(head[1:], "little")
        body = file.read(size)
        if len(head) < HEAD or len(body) < size:
            raise Broken("snappy: corrupt input")
        try:
            yield decompressor.decompress(head + body)
        except snappy.UncompressError as error:
            raise Broken("snappy: corrupt input") from error
