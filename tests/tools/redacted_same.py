#!/usr/bin/python3
"""redacted_same.py ONE.json REDACTED.json: is it the same, but for contents that became digests?

A digest "~1a2b..." stands for any words, and numbers of sixteen hex digits for others; equal ones for equal ones."""
import json
import re
import sys

forward, backward, wrong = {}, {}, []


def pair(one, other, path):
    if forward.setdefault(one, other) != other or backward.setdefault(other, one) != one:
        wrong.append(f"{path}: {one} and {other} are not the same everywhere")


def texts(one, other, path):
    parts = re.split(r"(~[0-9a-f]{1,16}(?:\.\.\.)?|\b[0-9a-f]{16}\b)", other)
    pattern = "".join(("([0-9a-f]{16})" if len(p) == 16 else "(.*)") if i % 2 else re.escape(p) for i, p in enumerate(parts))
    match = re.fullmatch(pattern, one, re.S)
    if not match:
        wrong.append(f"{path}: {one!r} became {other!r}")
        return
    for mine, digest in zip(match.groups(), parts[1::2]):
        if len(digest) == 16:
            pair(mine, digest, path)


def same(one, other, path):
    if type(one) is not type(other):
        wrong.append(f"{path}: {one!r} became {other!r}")
    elif isinstance(one, dict):
        if one.keys() != other.keys():
            wrong.append(f"{path}: other members")
            return
        for key in one:
            if not (path == "" and key == "run"):
                same(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list):
        if len(one) != len(other):
            wrong.append(f"{path}: {len(one)} became {len(other)}")
        for i, (a, b) in enumerate(zip(one, other)):
            same(a, b, f"{path}/{i}")
    elif isinstance(one, str):
        texts(one, other, path)
    elif one != other:
        wrong.append(f"{path}: {one!r} became {other!r}")


with open(sys.argv[1], encoding="utf-8") as a, open(sys.argv[2], encoding="utf-8") as b:
    same(json.load(a), json.load(b), "")
print("\n".join(wrong[:10]), end="\n" if wrong else "")
sys.exit(bool(wrong))
