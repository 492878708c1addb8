EPSILON = 1e-5


def scaled(x, by):
    return x * by
