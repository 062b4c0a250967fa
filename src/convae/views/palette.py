"""Colours of classes."""

# The first six colours are Petroff's (2021, "Accessible color sequences for data visualization"). Each further colour
# is as far as possible from all earlier ones, and stands out on white and on black. The distance of two colours is
# measured in OKLab, for full vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009), and the smallest of
# the four counts. Among the first 10 colours, it is at least 0.09 (0.16 for full vision), among 20 at least 0.057,
# among 100 at least 0.024; among matplotlib's ten, it is 0.007.
COLOURS = """
5790fc f89c20 e42536 964a8b 9c9ca1 7a21dd 00d2ff 961e00 e14bd2 1e875a 78c378 004ba5 e1a5d2 870087 b41eff c3873c 8778b4
c35a78 78690f 695ac3 b40069 d287e1 69a569 5ab4ff 0f9696 5a0fc3 0000ff ff5a87 3cc34b 784b69 a5694b c369f0 3c69a5 3c69e1
ff78b4 963c4b b43ca5 96d25a f0a596 5a8700 00d296 f02d87 d200e1 694b96 d29600 c33c78 e17869 c32d3c 783c3c 87c3e1 9696ff
b478a5 9669ff 7887d2 d2a55a a50f87 874b1e 96874b e15a1e e178c3 e12db4 a55ac3 5a4bb4 78a5d2 7869b4 692d96 1e694b 5a4b78
d296ff 00e178 3c00e1 ff1ef0 872dc3 a52dd2 5a965a b4b41e 962d96 c30f87 8700a5 960f5a a578c3 4b78e1 69d23c 785a96 d27887
b4a5e1 7800b4 2da5b4 870fff b478e1 1e782d 3c692d a54b69 9669a5 a56987 d20f5a d24b96 e15a96 ff96b4 b4a569
""".split()  # noqa: SIM905 (as a list it would fill the screen)


def hex_colours(classes: int) -> list[str]:
    """Return a colour, as ``#rrggbb``, for each class; with more than a hundred classes, colours repeat."""
    return [f"#{COLOURS[label % len(COLOURS)]}" for label in range(classes)]
