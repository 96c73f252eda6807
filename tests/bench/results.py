"""The rows of a run of the benchmark: collected, printed as a table, kept as JSON."""

import datetime
import json
import statistics
import traceback


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2g}"


def say(text):
    print(f"-- {text}", flush=True)


class Results:
    def __init__(self):
        self.rows = []
        self.costs = {}  # chain -> process -> CPU ms a 4 KiB message
        self.curves = {}  # "size", "sessions" -> chain -> [(x, y), ...]
        self.failed = {}  # part -> why

    def attempt(self, part, measure):
        """One part of the benchmark; if it fails, the others are measured all the same."""
        try:
            measure()
        except Exception as error:
            traceback.print_exc()
            self.failed[part] = f"{type(error).__name__}: {error}"

    def compare(self, what, server, ours, postfix, unit):
        """Runs of ours and of Postfix's, which took turns: medians, and the spread of the ratios of each turn."""
        ratios = [a / b for a, b in zip(ours, postfix)]
        mine, its = statistics.median(ours), statistics.median(postfix)
        self.rows.append({"what": what, "server": server, "ours": round(mine, 3), "postfix": round(its, 3),
                          "ratio": round(mine / its, 3), "spread": [round(min(ratios), 3), round(max(ratios), 3)],
                          "unit": unit, "runs": len(ours)})

    def note(self, what, server, ours, unit):
        """What Postfix has no counterpart of."""
        self.rows.append({"what": what, "server": server, "ours": round(ours, 3), "postfix": None, "ratio": None, "unit": unit,
                          "runs": 1})

    def table(self):
        lines = [f"{'what':<28} {'server':<9} {'ours':>10} {'postfix':>10} {'ratio':>7}  {'spread':<15} unit"]
        for row in self.rows:
            spread = "{} - {}".format(*row["spread"]) if row.get("spread") else ""
            cells = [row[key] if row[key] is not None else "" for key in ("ours", "postfix", "ratio")]
            lines.append(f"{row['what']:<28} {row['server']:<9} {cells[0]:>10} {cells[1]:>10} {cells[2]:>7}  {spread:<15}"
                         f" {row['unit']}")
        if self.costs:
            lines += ["", "CPU ms a 4 KiB message, by process:"]
            lines += [f"  {name}: " + ", ".join(f"{process} {cost:.3f}" for process, cost in costs.items() if cost > 0.005)
                      for name, costs in self.costs.items()]
        lines += [f"FAILED {part}: {why}" for part, why in self.failed.items()]
        return "\n".join(lines)

    def markdown(self):
        """The same for docs/benchmarks.md: a line for each thing that was measured."""
        found = {}
        for row in self.rows:
            text = short(row["ours"])
            if row["ratio"] is not None:
                text += f": {row['ratio']:.2f}x"
            if row.get("spread") and row["runs"] > 1:
                text += " ({:.2f} - {:.2f})".format(*row["spread"])
            line = found.setdefault((row["what"], row["unit"]), {"postfix": []})
            line[row["server"]] = text
            if row["postfix"] is not None:
                line["postfix"].append(row["postfix"])
        lines = ["| what | unit | with Prosody | with ejabberd | Postfix, tuned |", "| --- | --- | --- | --- | --- |"]
        for (what, unit), line in found.items():
            postfix = " to ".join(dict.fromkeys(map(short, sorted(line["postfix"]))))
            # What has to do with no XMPP server stands in the first column.
            cells = [line.get("prosody", line.get("", "")), line.get("ejabberd", ""), postfix]
            lines.append(f"| {what} | {unit} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def write(self, file):
        file.write_text(json.dumps({"date": str(datetime.date.today()), "rows": self.rows, "failed": self.failed, "cpu": self.costs,
                                    "curves": self.curves}, indent=1) + "\n")
