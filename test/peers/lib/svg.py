"""Line plots as SVG, readable on a light and on a dark ground. Called by
page.py. No library: a few paths and texts."""
import math

# A palette that colour-blind readers tell apart (Okabe & Ito 2008), in tones
# that stand on white and on black; then the same, dashed.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#b8860b", "#56b4e9",
           "#7f7f7f")
W, H, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 64, 170, 20, 48
GREY = "#808080"


def text(x, y, s, anchor="middle", extra="", colour=GREY):
    s = s.replace("&", "&amp;").replace("<", "&lt;")
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'fill="{colour}" {extra}>{s}</text>')


def ticks(lo, hi):
    """1, 2, 5 of each decade within."""
    out = []
    for e in range(math.floor(math.log10(lo)), math.ceil(math.log10(hi)) + 1):
        out += [m * 10.0 ** e for m in (1, 2, 5)]
    return [t for t in out if lo <= t * 1.0001 and t <= hi * 1.0001]


def plot(curves, x_name, y_name):
    """curves: name -> values at 1, 2, ..; the vertical axis is logarithmic."""
    n = max(len(c) for c in curves.values())
    low = min(v for c in curves.values() for v in c if v > 0)
    high = max(v for c in curves.values() for v in c)
    low, high = max(low, high / 1000) * .9, high * 1.1

    def px(i):
        return LEFT + (W - LEFT - RIGHT) * (i - 1) / max(1, n - 1)

    def py(v):
        v = max(v, low)
        return H - BOTTOM - (H - TOP - BOTTOM) * math.log(v / low) / \
            math.log(high / low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {W} {H}" '
           f'font-family="sans-serif" font-size="12">']
    for t in ticks(low, high):
        out.append(f'<path d="M{LEFT} {py(t):.1f}H{W - RIGHT}" stroke="{GREY}" '
                   'stroke-opacity=".25"/>')
        out.append(text(LEFT - 6, py(t) + 4, f"{t:.3g}", "end"))
    for i in [1] + list(range(10, n + 1, 10)):
        out.append(f'<path d="M{px(i):.1f} {H - BOTTOM}v4" stroke="{GREY}"/>')
        out.append(text(px(i), H - BOTTOM + 18, str(i)))
    out.append(f'<path d="M{LEFT} {TOP}V{H - BOTTOM}H{W - RIGHT}" fill="none" '
               f'stroke="{GREY}"/>')
    out.append(text((LEFT + W - RIGHT) / 2, H - 8, x_name))
    mid = (TOP + H - BOTTOM) / 2
    out.append(text(14, mid, y_name, "middle",
                    f'transform="rotate(-90 14 {mid:.1f})"'))
    for at, (name, c) in enumerate(curves.items()):
        colour = COLOURS[at % len(COLOURS)]
        dash = ('', ' stroke-dasharray="6 3"', ' stroke-dasharray="2 3"')[
            at // len(COLOURS) % 3]
        wide = 3 if at == 0 else 1.6
        points = " ".join(f"{px(i + 1):.1f},{py(v):.1f}"
                          for i, v in enumerate(c))
        line = f'fill="none" stroke="{colour}" stroke-width="{wide}"{dash}'
        out.append(f'<polyline points="{points}" {line}/>')
        y = TOP + 12 + 20 * at
        out.append(f'<path d="M{W - RIGHT + 14} {y - 4}h26" {line}/>')
        out.append(text(W - RIGHT + 46, y, name, "start"))
    return "\n".join(out + ["</svg>"]) + "\n"
