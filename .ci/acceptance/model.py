"""Mixed string operations and what each must answer, by a dictionary.

`Operations` draws operations from a seed; each has its words as they go over the wire, the reply that they must
get, and the redis-py method that says the same. Replies are bytes (a bulk), int, None (nil), `OK`, list, `Error`,
or `Within` for what depends on when exactly the command runs. Keys of one hash tag share a slot. Nothing here
knows how an operation is carried out. Only expiries far in the future or in the past are drawn, so that the
answers do not hang on how fast the machine is.

How far a command with several keys may reach is told by `reach`: `SLOT`, keys of one slot, as in a Redis Cluster;
`GATHERED`, keys of any slots for what a proxy scatters and gathers, and the refusal for what it does not; `ANY`,
keys of any slots for everything, as in one Redis.
"""

import random
import time

from lab import key_slot


class Ok:
    """The reply OK."""

    def __repr__(self):
        return "OK"


OK = Ok()


class Error(str):
    """An error reply."""


class Within:
    """A number between two bounds, both allowed."""

    def __init__(self, least, most):
        self.least, self.most = least, most

    def __eq__(self, other):
        return isinstance(other, int) and self.least <= other <= self.most

    __hash__ = None

    def __repr__(self):
        return f"{self.least}..{self.most}"


class Operation:
    """One operation: `words` on the wire, `expected` in answer, and `method(*args, **kwargs)` of redis-py."""

    def __init__(self, words, expected, method, args, kwargs=None):
        self.words, self.expected = words, expected
        self.method, self.args, self.kwargs = method, args, kwargs or {}

    def __repr__(self):
        return " ".join(map(str, self.words))[:200]


NOT_AN_INTEGER = Error("ERR value is not an integer or out of range")
NOT_A_FLOAT = Error("ERR value is not a valid float")
OVERFLOW = Error("ERR increment or decrement would overflow")
NO_SUCH_KEY = Error("ERR no such key")
CROSS_SLOT = Error("CROSSSLOT Keys in request don't hash to the same slot")
SLOT, GATHERED, ANY = "slot", "gathered", "any"
PIECES = [b"a", b"Z", b"7", b" ", b"\x00", b"\n", b"\r", b'"', b"\\", b"\xff", b"'", "é".encode(), b"xyz" * 10, b"{}"]


class Operations:
    """The generator and the dictionary that it holds answers against."""

    def __init__(self, seed, slack_s, tags=400, keys=8, reach=SLOT):
        # How long after it was drawn an operation may run: by so much a time to live is uncertain.
        self.slack_s = slack_s
        self.reach = reach
        self.rng = random.Random(seed)
        self.tags, self.keys = tags, keys
        self.values = {}
        # key -> absolute milliseconds, exact; or (least, most) when it was set relative to the node's clock.
        self.expiries = {}
        draws = {
            self.set: 10, self.set_if: 4, self.set_expiring: 4, self.get: 14, self.mget: 4, self.mset: 3, self.msetnx: 2,
            self.counter: 10, self.counter_float: 2, self.append: 6, self.strlen: 3, self.getrange: 4, self.setrange: 4,
            self.expire: 5, self.expire_if: 2, self.expireat: 2, self.expire_past: 1, self.ttl: 4, self.persist: 2,
            self.delete: 4, self.exists: 3, self.getex: 3, self.getdel: 2, self.getset: 2, self.setnx: 3, self.rename: 3,
            self.renamenx: 2, self.copy: 2, self.type: 1, self.touch: 1,
        }
        self.kinds, self.weights = list(draws), list(draws.values())

    def next(self):
        """The next operation; the dictionary is as after it."""
        return self.rng.choices(self.kinds, self.weights)[0]()

    # What is drawn.

    def key(self, tag=None):
        tag = self.rng.randrange(self.tags) if tag is None else tag
        return "{t%d}:%d" % (tag, self.rng.randrange(self.keys))

    def siblings(self, count):
        """Keys of one slot."""
        tag = self.rng.randrange(self.tags)
        return [self.key(tag) for _ in range(count)]

    def several(self, count):
        """Keys for what a proxy scatters and gathers."""
        return self.siblings(count) if self.reach == SLOT else [self.key() for _ in range(count)]

    def together(self, count):
        """Keys for what must have them in one place; where that may fail, it sometimes does."""
        anywhere = self.reach == ANY or (self.reach == GATHERED and self.rng.random() < 0.2)
        return [self.key() for _ in range(count)] if anywhere else self.siblings(count)

    def apart(self, keys):
        """Whether the keys are in places that no command may reach at once."""
        return self.reach == GATHERED and len({key_slot(key) for key in keys}) > 1

    def value(self):
        if self.rng.random() < 0.3:
            return str(self.rng.randrange(-(10**6), 10**6)).encode()
        return b"".join(self.rng.choices(PIECES, k=self.rng.randrange(12)))

    def seconds(self):
        return self.rng.randrange(10_000, 1_000_000)

    # What the dictionary remembers.

    def put(self, key, value, expiry=None):
        self.values[key] = value
        self.expiries.pop(key, None)
        if expiry is not None:
            self.expiries[key] = expiry

    def drop(self, key):
        self.expiries.pop(key, None)
        return self.values.pop(key, None)

    def after(self, seconds):
        now_ms = int(time.time() * 1000)
        return now_ms + seconds * 1000 - 1000, now_ms + (seconds + self.slack_s) * 1000

    def bounds(self, key):
        expiry = self.expiries[key]
        return expiry if isinstance(expiry, tuple) else (expiry, expiry)

    # The operations.

    def set(self):
        key, value = self.key(), self.value()
        self.put(key, value)
        return Operation(["SET", key, value], OK, "set", (key, value))

    def set_if(self):
        key, value, there = self.key(), self.value(), self.rng.random() < 0.5
        get, before = self.rng.random() < 0.3, self.values.get(key)
        done = (before is not None) == there
        if done:
            self.put(key, value)
        words = ["SET", key, value, "XX" if there else "NX"] + (["GET"] if get else [])
        kwargs = {"xx": True} if there else {"nx": True}
        if get:
            kwargs["get"] = True
        return Operation(words, before if get else OK if done else None, "set", (key, value), kwargs)

    def set_expiring(self):
        key, value, seconds = self.key(), self.value(), self.seconds()
        how = self.rng.choice(["EX", "PX", "EXAT", "PXAT", "KEEPTTL", "SETEX", "PSETEX"])
        at = int(time.time()) + seconds
        if how == "KEEPTTL":
            self.values[key] = value
            return Operation(["SET", key, value, how], OK, "set", (key, value), {"keepttl": True})
        self.put(key, value, at * 1000 if how.endswith("AT") else self.after(seconds))
        if how == "SETEX":
            return Operation([how, key, seconds, value], OK, "setex", (key, seconds, value))
        if how == "PSETEX":
            return Operation([how, key, seconds * 1000, value], OK, "psetex", (key, seconds * 1000, value))
        number = {"EX": seconds, "PX": seconds * 1000, "EXAT": at, "PXAT": at * 1000}[how]
        return Operation(["SET", key, value, how, number], OK, "set", (key, value), {how.lower(): number})

    def get(self):
        key = self.key()
        return Operation(["GET", key], self.values.get(key), "get", (key,))

    def mget(self):
        keys = self.several(self.rng.randrange(1, 9))
        return Operation(["MGET", *keys], [self.values.get(key) for key in keys], "mget", (keys,))

    def mset(self):
        pairs = {key: self.value() for key in self.several(4)}
        for key, value in pairs.items():
            self.put(key, value)
        words = [word for pair in pairs.items() for word in pair]
        return Operation(["MSET", *words], OK, "mset", (pairs,))

    def msetnx(self):
        pairs = {key: self.value() for key in self.together(self.rng.randrange(1, 4))}
        words = ["MSETNX", *(word for pair in pairs.items() for word in pair)]
        if self.apart(pairs):
            return Operation(words, CROSS_SLOT, "msetnx", (pairs,))
        free = not any(key in self.values for key in pairs)
        if free:
            for key, value in pairs.items():
                self.put(key, value)
        return Operation(words, int(free), "msetnx", (pairs,))

    def counter(self):
        key = self.key() if self.rng.random() < 0.2 else "{t%d}:c" % self.rng.randrange(self.tags)
        by = self.rng.choice([1, 1, -1, self.rng.randrange(-1000, 1000), 2**62])
        method, words = self.rng.choice([("incrby", ["INCRBY", key, by]), ("decrby", ["DECRBY", key, -by])])
        args = (key, by if method == "incrby" else -by)
        if by == 1 and self.rng.random() < 0.5:
            method, words, args = "incr", ["INCR", key], (key,)
        if by == -1 and self.rng.random() < 0.5:
            method, words, args = "decr", ["DECR", key], (key,)
        before = integer(self.values.get(key, b"0"))
        if before is None:
            return Operation(words, NOT_AN_INTEGER, method, args)
        if not -(2**63) <= before + by < 2**63:
            return Operation(words, OVERFLOW, method, args)
        self.values[key] = str(before + by).encode()
        return Operation(words, before + by, method, args)

    def counter_float(self):
        # Quarters are exact in binary, so that the digits are the same in whatever precision.
        key, by = "{t%d}:f" % self.rng.randrange(self.tags), self.rng.randrange(-400, 400) / 4
        after = float(self.values.get(key, b"0")) + by
        self.values[key] = ("%.2f" % after).rstrip("0").rstrip(".").encode() if after else b"0"
        return Operation(["INCRBYFLOAT", key, by], self.values[key], "incrbyfloat", (key, by))

    def append(self):
        key, piece = self.key(), self.value()
        after = self.values.get(key, b"") + piece
        if len(after) > 2000:
            return self.delete(key)
        self.values[key] = after
        return Operation(["APPEND", key, piece], len(after), "append", (key, piece))

    def strlen(self):
        key = self.key()
        return Operation(["STRLEN", key], len(self.values.get(key, b"")), "strlen", (key,))

    def getrange(self):
        key, first, last = self.key(), self.rng.randrange(-12, 12), self.rng.randrange(-12, 30)
        value = self.values.get(key, b"")
        start = max(first + len(value), 0) if first < 0 else first
        end = max(last + len(value), 0) if last < 0 else last
        came = b"" if first < 0 and last < 0 and first > last else value[start : end + 1]
        method, word = self.rng.choice([("getrange", "GETRANGE"), ("substr", "SUBSTR")])
        return Operation([word, key, first, last], came, method, (key, first, last))

    def setrange(self):
        key, offset, piece = self.key(), self.rng.randrange(60), self.value()
        value = self.values.get(key)
        if piece:
            padded = (value or b"").ljust(offset, b"\x00")
            self.values[key] = padded[:offset] + piece + padded[offset + len(piece) :]
        length = len(self.values.get(key, b""))
        return Operation(["SETRANGE", key, offset, piece], length, "setrange", (key, offset, piece))

    def expire(self):
        key, seconds = self.key(), self.seconds()
        there = key in self.values
        if there:
            self.expiries[key] = self.after(seconds)
        if self.rng.random() < 0.5:
            return Operation(["EXPIRE", key, seconds], int(there), "expire", (key, seconds))
        return Operation(["PEXPIRE", key, seconds * 1000], int(there), "pexpire", (key, seconds * 1000))

    def expire_if(self):
        key, how = self.key(), self.rng.choice(["NX", "XX", "GT", "LT"])
        at = int(time.time()) + self.seconds()
        there, old = key in self.values, self.expiries.get(key)
        if isinstance(old, tuple) and how in ("GT", "LT"):
            # Only a margin over what the clocks may differ by makes the outcome certain.
            at = int(old[1] / 1000) + 10 if self.rng.random() < 0.5 else int(old[0] / 1000) - 10
        most = None if old is None else self.bounds(key)[1]
        done = there and {
            "NX": old is None, "XX": old is not None, "GT": old is not None and at * 1000 > most,
            "LT": old is None or at * 1000 < most,
        }[how]
        if done:
            self.expiries[key] = at * 1000
        words = ["EXPIREAT", key, at, how]
        return Operation(words, int(done), "expireat", (key, at), {how.lower(): True})

    def expireat(self):
        key, at = self.key(), (int(time.time()) + self.seconds()) * 1000 + self.rng.randrange(1000)
        there = key in self.values
        if there:
            self.expiries[key] = at
        return Operation(["PEXPIREAT", key, at], int(there), "pexpireat", (key, at))

    def expire_past(self):
        key, seconds = self.key(), -self.rng.randrange(1, 100)
        there = self.drop(key) is not None
        return Operation(["EXPIRE", key, seconds], int(there), "expire", (key, seconds))

    def ttl(self):
        key, word = self.key(), self.rng.choice(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"])
        if key not in self.values:
            expected = -2
        elif key not in self.expiries:
            expected = -1
        else:
            least, most = self.bounds(key)
            unit = 1 if word.startswith("P") else 1000
            if word.endswith("TIME"):
                half = unit // 2
                expected = Within((least + half) // unit, (most + half) // unit)
            else:
                now_ms = int(time.time() * 1000)
                expected = Within((least - now_ms) // unit - self.slack_s * 1000 // unit, (most - now_ms) // unit + 1)
                if isinstance(self.expiries[key], int) and unit == 1:
                    expected = Within(expected.least, most - now_ms + 1000)
        return Operation([word, key], expected, word.lower(), (key,))

    def persist(self):
        key = self.key()
        return Operation(["PERSIST", key], int(self.expiries.pop(key, None) is not None), "persist", (key,))

    def delete(self, key=None):
        keys = [key] if key else self.several(self.rng.randrange(1, 4))
        word = self.rng.choice(["DEL", "UNLINK"])
        gone = sum(self.drop(key) is not None for key in keys)
        return Operation([word, *keys], gone, "delete" if word == "DEL" else "unlink", tuple(keys))

    def exists(self):
        keys = self.several(self.rng.randrange(1, 4))
        return Operation(["EXISTS", *keys], sum(key in self.values for key in keys), "exists", tuple(keys))

    def getex(self):
        key, how = self.key(), self.rng.choice([None, "PERSIST", "EX", "PXAT"])
        value, seconds = self.values.get(key), self.seconds()
        if how is None:
            return Operation(["GETEX", key], value, "getex", (key,))
        if how == "PERSIST":
            self.expiries.pop(key, None)
            return Operation(["GETEX", key, how], value, "getex", (key,), {"persist": True})
        at = (int(time.time()) + seconds) * 1000
        if value is not None:
            self.expiries[key] = self.after(seconds) if how == "EX" else at
        number = seconds if how == "EX" else at
        return Operation(["GETEX", key, how, number], value, "getex", (key,), {how.lower(): number})

    def getdel(self):
        key = self.key()
        return Operation(["GETDEL", key], self.drop(key), "getdel", (key,))

    def getset(self):
        key, value = self.key(), self.value()
        before = self.values.get(key)
        self.put(key, value)
        return Operation(["GETSET", key, value], before, "getset", (key, value))

    def setnx(self):
        key, value = self.key(), self.value()
        free = key not in self.values
        if free:
            self.put(key, value)
        return Operation(["SETNX", key, value], int(free), "setnx", (key, value))

    def move(self, old, new):
        expiry = self.expiries.get(old)
        self.put(new, self.values[old], expiry)

    def rename(self):
        old, new = self.together(2)
        words, args = ["RENAME", old, new], (old, new)
        if self.apart(args):
            return Operation(words, CROSS_SLOT, "rename", args)
        if old not in self.values:
            return Operation(words, NO_SUCH_KEY, "rename", args)
        if old != new:
            self.move(old, new)
            self.drop(old)
        return Operation(words, OK, "rename", args)

    def renamenx(self):
        old, new = self.together(2)
        words, args = ["RENAMENX", old, new], (old, new)
        if self.apart(args):
            return Operation(words, CROSS_SLOT, "renamenx", args)
        if old not in self.values:
            return Operation(words, NO_SUCH_KEY, "renamenx", args)
        free = new not in self.values
        if free:
            self.move(old, new)
            self.drop(old)
        return Operation(words, int(free), "renamenx", args)

    def copy(self):
        old, new = self.together(2)
        replace = self.rng.random() < 0.5
        words = ["COPY", old, new] + (["REPLACE"] if replace else [])
        kwargs = {"replace": replace}
        if self.apart((old, new)):
            return Operation(words, CROSS_SLOT, "copy", (old, new), kwargs)
        if old == new:
            same = Error("ERR source and destination objects are the same")
            return Operation(words, same, "copy", (old, new), kwargs)
        done = old in self.values and (replace or new not in self.values)
        if done:
            self.move(old, new)
        return Operation(words, int(done), "copy", (old, new), kwargs)

    def type(self):
        key = self.key()
        return Operation(["TYPE", key], b"string" if key in self.values else b"none", "type", (key,))

    def touch(self):
        keys = self.several(2)
        return Operation(["TOUCH", *keys], sum(key in self.values for key in keys), "touch", tuple(keys))


def integer(text):
    """What INCR takes for an integer: what %d would have printed, within 64 bits; else None."""
    digits = text[1:] if text[:1] == b"-" else text
    plain = digits.isdigit() and (digits[:1] != b"0" or text == b"0")
    number = int(text) if plain else None
    return number if number is not None and -(2**63) <= number < 2**63 else None
