"""Colours of classes."""

# Each of COLOURS has a contrast of at least 3:1 with white and with the explorer's light background. ON_DARK has the
# same hues, lighter, with at least 3:1 on its dark background. The distance of two colours is the least of those in
# OKLab for full vision, protanopia, deuteranopia and tritanopia (Machado et al. 2009). Colours for 10 classes are at
# least 0.06 apart (full vision: 0.11; CIEDE2000: 17), for 20 at least 0.038, for 100 at least 0.016. The first ten are
# ordered so that MNIST's neighbours on the map, 3, 5 and 8, and 4, 7 and 9, look the most different.
COLOURS = """
0f78c3 b48700 1e5a5a c32d96 789696 692d00 697800 a51e3c 2da55a 692d96 96695a 4b2d4b 003c69 b469f0 5a1eff 3c5a1e 5a4b78
c35a78 780069 2d0fb4 875a78 69001e b42de1 a54b3c 0f4bb4 87783c 962d96 696996 873c5a 4b4b2d 1e8769 875a00 2d3c2d 6987a5
4b0f78 78003c ff5a0f 4b6969 4b784b 967896 5a4b4b 692d5a 004b00 785aa5 ff1ef0 78963c 3c4b87 c35a00 5a694b e12dc3 3c2d87
78875a 3c7887 874b87 0f692d 4b3c4b 962d78 968778 694b00 7878d2 4b5a69 b40f69 8700a5 5a4b96 a50f0f 692d78 006987 4ba51e
4b9687 3c2d5a 87001e ff2d87 877878 5a2d2d 3c2dc3 3c873c 3c3c3c 5a5a4b 2d4b1e 9669a5 785a5a 3c69a5 4b1e96 964b2d 7800d2
87694b 690087 a5784b 009669 b42da5 694b5a 0f3c4b 5a8796 961ed2 4b2d78 784b1e 5a785a 69874b 3c5aa5 878769
""".split()  # noqa: SIM905 (as a list it would fill the screen)
ON_DARK = """
73bcff f6c75e 66a09f fe8ad3 b6d6d6 b6734d aabc59 f56c7d 77e798 af75e3 dbaa99 937193 4f83b5 e0c3fd 989bfe 7ea062 9e8ec0
fea4ba c75ab3 6572ff cd9bbb bb5560 e29eff f08e7c 5b95fd c9ba7c e175df aaabdc d27f9d 8f906f 6ccbaa ce9d56 718271 a8c8e8
925fc8 ca5880 fdc9b8 8dacac 8cbc8b d8b7d8 9f8e8e b472a1 52934e bb9ced fec8f6 b6d77c 7d90d2 fea572 9cac8c ffaaea 7d76d7
b8c899 7fbbcb ce8dcd 60b06f 918091 e274be d7c6b6 b08f52 babeff 8d9eae fd6eac d263f2 9c8fe1 f76658 b273c3 5caece 8ce769
8cd7c7 8172a5 da5c60 febccd c9b8b8 a57170 7985ff 7fcb7d 818181 9d9e8d 709161 d9a9e9 bd9c9c 7dadee 8d6ce7 e08e6f b282fd
cbab8b b45dd6 e9b889 65d9a8 ff77ec af8e9e 578293 99c8d8 cf8afe 9074c5 c08f62 9bbb9a a9c98a 7c9ff0 c7c7a7
""".split()  # noqa: SIM905


def hex_colours(classes: int, colours: list[str] = COLOURS) -> list[str]:
    """Return a colour, as ``#rrggbb``, for each class; with more than a hundred classes, colours repeat."""
    return [f"#{colours[label % len(colours)]}" for label in range(classes)]
