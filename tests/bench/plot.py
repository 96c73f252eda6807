"""The curves of a run as an SVG picture, without a library: two plots with logarithmic axes."""

import math

COLOURS = {"postfix": "#888888", "prosody": "#1f5fbf", "ejabberd": "#c2410c"}
LABELS = {"postfix": "Postfix, tuned", "prosody": "Packetboat, Prosody", "ejabberd": "Packetboat, ejabberd"}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 460, 340, 60, 40, 20, 50


def size_text(size):
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


class Plot:
    def __init__(self, title, x_title, y_title, curves, x_text):
        self.title, self.x_title, self.y_title, self.curves, self.x_text = title, x_title, y_title, curves, x_text
        points = [point for curve in curves.values() for point in curve]
        self.xs = sorted({x for x, _ in points})
        low, high = min(y for _, y in points), max(y for _, y in points)
        self.low, self.high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))

    def x(self, value):
        first, last = math.log(self.xs[0]), math.log(self.xs[-1])
        return LEFT + (math.log(value) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def lines(self):
        yield f'<text x="{LEFT}" y="22" font-size="14">{self.title}</text>'
        value = self.low
        while value <= self.high * 1.01:
            yield (f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
            value *= 10
        for value in self.xs:
            yield (f'<text x="{self.x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" font-size="9">'
                   f'{self.x_text(value)}</text>')
        yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{self.x_title}</text>'
        yield (f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
               f'{self.y_title}</text>')
        for place, (name, curve) in enumerate(self.curves.items()):
            path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in curve)
            yield f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>'
            yield from (f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="2.5" fill="{COLOURS[name]}"/>' for x, y in curve)
            yield f'<text x="{LEFT + 10}" y="{TOP + 14 + 14 * place}" fill="{COLOURS[name]}">{LABELS[name]}</text>'


def draw(curves):
    """`curves`: those of results.Results."""
    plots = [Plot("Throughput by size of a mail (text, 20 at a time)", "bytes of a mail", "MB/s", curves["size"], size_text),
             Plot("Throughput by mails on their way at a time (4 KiB)", "mails at a time", "messages/s", curves["sessions"], str)]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * 2}" height="{HEIGHT}" font-family="sans-serif"'
             ' font-size="11"><rect width="100%" height="100%" fill="white"/>']
    for place, plot in enumerate(plots):
        parts += [f'<g transform="translate({place * WIDTH} 0)">', *plot.lines(), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"
