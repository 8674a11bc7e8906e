/** The further tests of EvalPlus (Liu et al. 2023), as its files on the hub have them: Python that compares results by NumPy. */

/** What those tests take of NumPy, which is not here: closeness of numbers, and of lists of them, under its rules of broadcasting. */
export const numpyForTests = `
def _numpy_for_tests():
    import sys, types
    if "numpy" in sys.modules:
        return
    def shape(x):
        if not isinstance(x, (list, tuple)):
            if isinstance(x, (str, bytes)):
                raise TypeError("numbers are compared, not texts")
            return ()
        inner = {shape(y) for y in x} or {()}
        if len(inner) > 1:
            raise ValueError("lists of different lengths are no array")
        return (len(x),) + inner.pop()
    def common(a, b):
        size = max(len(a), len(b))
        a, b = (1,) * (size - len(a)) + a, (1,) * (size - len(b)) + b
        if any([m != n and m != 1 and n != 1 for m, n in zip(a, b)]):
            raise ValueError("operands could not be broadcast together")
        return tuple([n if m == 1 else m for m, n in zip(a, b)])
    def items(x, have, want):
        if not want:
            return [x]
        if len(have) < len(want):
            return items(x, have, want[1:]) * want[0]
        parts = x if have[0] == want[0] else x * want[0]
        return [value for y in parts for value in items(y, have[1:], want[1:])]
    def number(x):
        if not isinstance(x, (bool, int, float, complex)):
            raise TypeError("numbers are compared, not " + type(x).__name__)
    def near(out, exp, rtol, atol, same_nan):
        number(out), number(exp)
        if out != out or exp != exp:
            return same_nan and out != out and exp != exp
        if out == exp:
            return True
        return abs(exp) != float("inf") and abs(out - exp) <= atol + rtol * abs(exp)
    def close(out, exp, rtol, atol, same_nan):
        a, b = shape(out), shape(exp)
        if b == ():
            number(exp)
        want = common(a, b)
        pairs = zip(items(out, a, want), items(exp, b, want))
        return all([near(x, y, rtol, atol, same_nan) for x, y in pairs])
    def assert_allclose(actual, desired, rtol=1e-07, atol=0):
        a, b = shape(actual), shape(desired)
        [number(x) for x, own in ((actual, a), (desired, b)) if own == ()]
        assert a == b or a == () or b == (), "shapes differ"
        assert close(actual, desired, rtol, atol, True), "Not equal to tolerance"
    numpy = types.ModuleType("numpy")
    numpy.ndarray = type("ndarray", (), {})
    numpy.float64, numpy.float32 = "float64", "float32"
    numpy.allclose = lambda a, b, rtol=1e-05, atol=1e-08: close(a, b, rtol, atol, False)
    numpy.testing = types.ModuleType("numpy.testing")
    numpy.testing.assert_allclose = assert_allclose
    sys.modules["numpy"], sys.modules["numpy.testing"] = numpy, numpy.testing
_numpy_for_tests()
del _numpy_for_tests
`;

/** Seconds for a program and its tests, of which there may be a thousand. */
export const plusSeconds = 30;

/** Whether these tests need what stands above. */
export const usesNumpy = (tests: string): boolean => /^\s*import numpy\b/m.test(tests);
