"""Frames between the server and Node: u32 length of the header, u32 length of the body, JSON header, body.

The body is the concatenation of `parts`, whose byte lengths stand in the header. Big-endian. Knows no meaning.
"""

import json
import os
import struct

MOST = 256 << 20


def read_exactly(fd, count):
    pieces = []
    while count:
        piece = os.read(fd, min(count, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        count -= len(piece)
    return b''.join(pieces)


def read(fd):
    """(header, parts); EOFError when the other side has closed."""
    header_length, body_length = struct.unpack('>II', read_exactly(fd, 8))
    if header_length + body_length > MOST:
        raise ValueError(f'frame of {header_length + body_length} bytes; at most {MOST}')
    header = json.loads(read_exactly(fd, header_length))
    body = memoryview(read_exactly(fd, body_length))
    parts, at = [], 0
    for length in header.pop('parts', []):
        parts.append(bytes(body[at : at + length]))
        at += length
    return header, parts


def write(fd, header, parts=()):
    header = json.dumps({**header, 'parts': [len(part) for part in parts]}).encode()
    data = memoryview(struct.pack('>II', len(header), sum(map(len, parts))) + header + b''.join(parts))
    while data:
        data = data[os.write(fd, data) :]
