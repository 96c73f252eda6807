"""What the scripts here begin with, given --self-test: the tests of their own, beside them."""

import unittest


def passes(module):
    """Whether all tests of this module pass; it says what does not."""
    suite = unittest.defaultTestLoader.loadTestsFromName(module)
    return unittest.TextTestRunner(verbosity=0).run(suite).wasSuccessful()
