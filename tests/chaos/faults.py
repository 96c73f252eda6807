"""What a chaos run does to its world: kills, cuts, stops; each ends with everything up again."""

import subprocess
import time

CUT = """table inet chaos {{
    chain in {{
        type filter hook input priority 0;
        tcp dport 5269 {how}
        tcp sport 5269 {how}
    }}
}}"""


# Seconds by which a wall clock goes wrong, either way: a bad time server, a typo, a dead battery.
JUMPS = (10, 20 * 60, 26 * 3600, 8 * 86400, 400 * 86400)


class Faults:
    """Chooses by `random` what happens next, and counts it."""

    def __init__(self, random, sites, daemons):
        self.random = random
        self.sites = sites
        self.daemons = daemons
        self.cuts = 0
        self.others = 0
        self._later = []  # what sets a fault right, and how probably it is done before the next one

    def next(self):
        for each in list(self._later):
            undo, chance = each
            if self.random.random() < chance:
                undo()
                self._later.remove(each)
        action = self.random.choices(
            [self.kill, self.cut, self.stop_for_a_while, self.restart_server, self.restart_postfix, self.fill_disk,
             self.move_clock, self.call_back],
            weights=[8, 3, 2, 1, 1, 1, 2, 2])[0]
        action()

    def kill(self):
        self.random.choice(self.daemons).kill()

    def cut(self, meanwhile=lambda: None):
        """No packet passes between the XMPP servers; at times somebody says so, at times they vanish."""
        self.cuts += 1
        rules = CUT.format(how=self.random.choice(["reject with tcp reset", "drop"]))
        subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
        try:
            time.sleep(self.random.uniform(0.5, 6))
            meanwhile()
        finally:
            subprocess.run(["nft", "delete", "table", "inet", "chaos"], check=True)

    def stop_for_a_while(self):
        """The daemon does not get on, and then it does: as on a machine that swaps."""
        self.others += 1
        self.random.choice(self.daemons).freeze(self.random.uniform(0.5, 4))

    def restart_server(self):
        self.others += 1
        server = self.random.choice(self.sites).xmpp
        server.kill()
        time.sleep(self.random.uniform(0, 2))
        server.start()

    def restart_postfix(self):
        self.others += 1
        postfix = self.random.choice(self.sites).postfix
        postfix.stop()
        time.sleep(self.random.uniform(0, 2))
        postfix.start()

    def fill_disk(self):
        self.others += 1
        self.random.choice(self.daemons).fill_disk(self.random.uniform(0.5, 3))

    def move_clock(self):
        """Until the next fault, which may be a kill; then somebody sets it right."""
        self.others += 1
        daemon = self.random.choice(self.daemons)
        daemon.move_clock(self.random.choice(JUMPS) * self.random.choice((1, -1)))
        self._later.append((lambda: daemon.move_clock(0), 0.6))

    def call_back(self):
        """A component goes out of service while nobody knows what of its mail has arrived: that is called back, and goes by
        SMTP. Some faults later the component is there again."""
        daemon = self.random.choice(self.daemons)
        self.cut(meanwhile=daemon.retire)
        self._later.append((daemon.resume, 0.25))
