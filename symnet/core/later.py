"""Values that are made when they are looked at, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Later(Generic[T]):
    """What ``make()`` gives, made at the first call and kept."""

    __slots__ = ("_made", "make")

    def __init__(self, make: Callable[[], T]) -> None:
        self.make: Callable[[], T] | None = make

    @property
    def is_made(self) -> bool:
        """Was it looked at?"""
        return self.make is None

    def __call__(self) -> T:
        if self.make is not None:
            self._made = self.make()
            self.make = None
        return self._made


class MadeLater(Generic[T]):
    """A field of a dataclass that may be given as a value or as a Later of it, and always reads as the value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    @overload
    def __get__(self, holder: None, owner: type) -> T: ...

    @overload
    def __get__(self, holder: object, owner: type | None = None) -> T: ...

    def __get__(self, holder: object, owner: type | None = None) -> T:
        if holder is None:
            raise AttributeError(self.name)  # a dataclass asks for a default: there is none
        held: T | Later[T] = vars(holder)[self.name]
        return held() if isinstance(held, Later) else held

    def __set__(self, holder: object, value: T | Later[T]) -> None:
        vars(holder)[self.name] = value
