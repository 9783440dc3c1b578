#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""PageWalk against page tables made up here."""
import struct
import unittest

from pagewalk import PageWalk, canonical

P, PS = 0x1, 0x80
SIZE = 4 << 20


class Tables:
    def __init__(self):
        self.memory = bytearray(SIZE)

    def set(self, table, index, entry):
        struct.pack_into("<Q", self.memory, table + 8 * index, entry)

    def walk(self, cr3=0x1000, levels=4):
        return PageWalk(self.memory, cr3, levels)


class PageWalkTest(unittest.TestCase):
    def setUp(self):
        self.t = Tables()
        self.t.set(0x1000, 511, 0x2000 | P)
        self.t.set(0x2000, 510, 0x3000 | P)
        self.t.set(0x3000, 0, 0x4000 | P)

    def test_small_page(self):
        self.t.set(0x4000, 5, 0x12000 | P)
        walk = self.t.walk()
        self.assertTrue(walk.maps(0x12000))
        self.assertTrue(walk.maps(0x12FFF))
        self.assertFalse(walk.maps(0x13000))
        self.assertFalse(walk.maps(0x11FFF))
        self.assertEqual(walk.addresses(0x12008), [0xFFFFFFFF80005008])

    def test_bit_7_of_the_last_level_is_no_large_page(self):
        self.t.set(0x4000, 0, 0x12000 | P | PS)
        walk = self.t.walk()
        self.assertTrue(walk.maps(0x12000))
        self.assertFalse(walk.maps(0x13000))

    def test_large_page(self):
        self.t.set(0x3000, 1, 0x200000 | P | PS)
        walk = self.t.walk()
        self.assertTrue(walk.maps(0x200000))
        self.assertTrue(walk.maps(0x3FFFFF))
        self.assertFalse(walk.maps(0x400000))
        self.assertEqual(walk.mapped_bytes(), 2 << 20)

    def test_pat_bit_of_a_large_page_is_no_address(self):
        self.t.set(0x3000, 1, 0x201000 | P | PS)
        self.assertTrue(self.t.walk().maps(0x200000))

    def test_huge_page_beyond_the_image(self):
        self.t.set(0x2000, 1, 0x40000000 | P | PS)
        walk = self.t.walk()
        self.assertTrue(walk.maps(0x40000000))
        self.assertEqual(walk.mapped_bytes(), 0)

    def test_not_present(self):
        self.t.set(0x4000, 0, 0x12000)
        self.assertFalse(self.t.walk().maps(0x12000))

    def test_flags_of_cr3_are_ignored(self):
        self.t.set(0x4000, 0, 0x12000 | P)
        self.assertTrue(self.t.walk(cr3=0x1000 | 0x8000000000000803).maps(0x12000))

    def test_five_levels(self):
        self.t.set(0x8000, 511, 0x1000 | P)
        self.t.set(0x4000, 5, 0x12000 | P)
        walk = self.t.walk(cr3=0x8000, levels=5)
        self.assertTrue(walk.maps(0x12000))
        self.assertEqual(walk.addresses(0x12000), [0xFFFFFFFF80005000])

    def test_shared_table_is_read_once(self):
        for index in range(64):
            self.t.set(0x1000, index, 0x2000 | P)
        self.t.set(0x4000, 0, 0x12000 | P)
        walk = self.t.walk()
        self.assertEqual(len(walk.tables), 4)
        self.assertEqual(len(walk.addresses(0x12000, most=100)), 65)

    def test_table_outside_the_image(self):
        self.t.set(0x3000, 7, SIZE | P)
        self.assertEqual(self.t.walk().outside, 1)

    def test_neighbours_merge(self):
        self.t.set(0x4000, 0, 0x12000 | P)
        self.t.set(0x4000, 9, 0x13000 | P)
        self.t.set(0x4000, 7, 0x12000 | P)
        self.assertEqual(self.t.walk().starts, [0x12000])
        self.assertEqual(self.t.walk().mapped_bytes(), 0x2000)

    def test_canonical(self):
        self.assertEqual(canonical(1 << 47, 4), 0xFFFF800000000000)
        self.assertEqual(canonical(1 << 47, 5), 1 << 47)
        self.assertEqual(canonical(1 << 56, 5), 0xFF00000000000000)


if __name__ == "__main__":
    unittest.main()
