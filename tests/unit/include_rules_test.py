"""The include rules on small trees of their own: each rule is broken once, and kept once."""
import unittest

from include_rules import MOST_LINES, SUBROOMS, check, check_document, check_tested

HEADER = "#pragma once\n"


def violations(**files):
    """What is wrong with a tree; `base__text_hpp` is base/text.hpp, `smtp_bridge` is smtp-bridge."""
    tree = {}
    for name, text in files.items():
        path = name.replace("__", "/").replace("smtp_bridge", "smtp-bridge")
        path, suffix = path.rsplit("_", 1)
        tree[f"{path}.{suffix}"] = (HEADER if suffix == "hpp" else "") + text
    return check(tree)[0]


class Directions(unittest.TestCase):
    def test_downwards_is_allowed(self):
        self.assertEqual([], violations(
            base__text_hpp="#include <string>\n",
            mail__address_hpp='#include "base/text.hpp"\n',
            queue__store_hpp='#include "mail/address.hpp"\n#include "base/text.hpp"\n',
            queue__ports_hpp='#include "mail/address.hpp"\n',
            smtp_bridge__server_cpp='#include "queue/ports.hpp"\n',
            component__session_cpp='#include "queue/ports.hpp"\n',
            app__main_cpp='#include "queue/store.hpp"\n#include "mail/address.hpp"\n'))

    def test_upwards_is_not(self):
        self.assertEqual(['base/text.cpp: includes "mail/address.hpp", but base must not see mail'],
                         violations(mail__address_hpp="",
                                    base__text_cpp='#include "mail/address.hpp"\n'))
        self.assertEqual(['queue/store.hpp: includes "app/config.hpp", but queue must not see app'],
                         violations(app__config_hpp="", queue__store_hpp='#include "app/config.hpp"\n'))

    def test_the_two_bridges_never_see_each_other(self):
        self.assertEqual(1, len(violations(component__a_hpp="",
                                           smtp_bridge__b_cpp='#include "component/a.hpp"\n')))
        self.assertEqual(1, len(violations(smtp_bridge__b_hpp="",
                                           component__a_cpp='  # include "smtp-bridge/b.hpp"\n')))

    def test_the_bridges_see_only_ports_of_the_queue(self):
        self.assertEqual(['component/a.cpp: includes "queue/store.hpp", but of the queue component sees '
                          'only its ports'],
                         violations(queue__store_hpp="", component__a_cpp='#include "queue/store.hpp"\n'))

    def test_a_test_sees_what_its_room_sees(self):
        tree = {"base__text_hpp": "", "tests__unit__support__fakes_hpp": '#include "base/text.hpp"\n'}
        self.assertEqual([], violations(
            **tree, tests__unit__base__text_test_cpp='#include "support/fakes.hpp"\n#include "base/text.hpp"\n'))
        self.assertEqual(1, len(violations(
            **tree, queue__store_hpp="", tests__unit__mail__a_test_cpp='#include "queue/store.hpp"\n')))
        self.assertEqual(1, len(violations(**tree, mail__a_cpp='#include "support/fakes.hpp"\n')))

    def test_a_file_that_is_not_there(self):
        self.assertEqual(['mail/a.cpp: includes "base/gone.hpp", which is no file of the tree'],
                         violations(mail__a_cpp='#include "base/gone.hpp"\n'))


class SubRooms(unittest.TestCase):
    def test_a_sub_room_sees_its_room_and_those_before_it(self):
        self.assertEqual([], violations(
            queue__ports_hpp="", queue__sqlite__store__rows_hpp='#include "queue/ports.hpp"\n',
            queue__sqlite__delivery__leases_hpp='#include "queue/sqlite/store/rows.hpp"\n#include "queue/sqlite/delivery/expiry.hpp"\n',
            queue__sqlite__delivery__expiry_hpp="", app__daemon__serve_cpp='#include "queue/sqlite/delivery/leases.hpp"\n'))

    def test_but_none_behind_it_or_beside_it(self):
        self.assertEqual(['queue/sqlite/store/rows.cpp: includes "queue/sqlite/delivery/leases.hpp", but queue/sqlite/store must not see '
                          'queue/sqlite/delivery'],
                         violations(queue__sqlite__delivery__leases_hpp="",
                                    queue__sqlite__store__rows_cpp='#include "queue/sqlite/delivery/leases.hpp"\n'))
        self.assertEqual(['queue/ports.hpp: includes "queue/sqlite/store/rows.hpp", but queue must not see queue/sqlite/store'],
                         violations(queue__sqlite__store__rows_hpp="", queue__ports_hpp='#include "queue/sqlite/store/rows.hpp"\n'))
        self.assertEqual(1, len(violations(smtp_bridge__client__pool_hpp="",
                                           smtp_bridge__server__server_cpp='#include "smtp-bridge/client/pool.hpp"\n')))

    def test_a_sub_room_is_one_of_the_table(self):
        self.assertEqual(["queue/attic/old.hpp: queue has no sub-room attic"], violations(queue__attic__old_hpp=""))

    def test_the_document_tells_the_same(self):
        rows = "".join(f"| `{room}/{folder}` | it is | {', '.join(seen)} |\n"
                       for room, folders in SUBROOMS.items() for folder, seen in folders.items())
        self.assertEqual([], check_document("| `base/` | it is | Boost |\n" + rows))
        for wrong in (rows.replace("queue/peers", "queue/pears"), rows.replace("| `queue/disk` | it is |  |\n", ""),
                      rows.replace("| wire |", "| wire, client |")):
            self.assertNotEqual([], check_document(wrong))

    def test_a_test_stands_where_its_unit_does_and_sees_its_room(self):
        tree = {"queue__sqlite__store__rows_hpp": "", "queue__sqlite__delivery__leases_hpp": "", "tests__unit__queue__model_test_cpp": ""}
        test = '#include "queue/sqlite/delivery/leases.hpp"\n'
        self.assertEqual([], violations(**tree, tests__unit__queue__sqlite__store__rows_test_cpp=test))
        self.assertEqual(["tests/unit/queue/rows_test.cpp: tests queue/sqlite/store/rows, and belongs to tests/unit/queue/sqlite/store"],
                         violations(**tree, tests__unit__queue__rows_test_cpp=test))

    def test_tests_share_helpers_and_not_each_other(self):
        tree = {"tests__unit__support__queue__fixture_hpp": '#include "queue/ports.hpp"\n', "queue__ports_hpp": "",
                "tests__unit__queue__a_test_hpp": ""}
        self.assertEqual([], violations(**tree, tests__unit__queue__b_test_cpp='#include "support/queue/fixture.hpp"\n'))
        self.assertEqual(1, len(violations(**tree, tests__unit__queue__b_test_cpp='#include "queue/a_test.hpp"\n')))
        self.assertEqual(1, len(violations(**tree, tests__unit__mail__b_test_cpp='#include "support/queue/fixture.hpp"\n')))


class Libraries(unittest.TestCase):
    def test_a_library_belongs_to_its_room(self):
        for header, room in (("gloox/tag.h", "component"), ("expat.h", "component"), ("ares.h", "component"),
                             ("libdeflate.h", "component"), ("isa-l/igzip_lib.h", "component"), ("SQLiteCpp/Database.h", "queue"),
                             ("sqlite3.h", "queue"), ("idn2.h", "mail"), ("openssl/evp.h", "mail"),
                             ("boost/program_options.hpp", "app"), ("systemd/sd-daemon.h", "app")):
            for other in ("base", "mail", "queue", "component", "smtp_bridge"):
                place = "queue__sqlite" if other == "queue" else other
                found = violations(**{f"{place}__a_cpp": f"#include <{header}>\n"})
                if other == room or (header.startswith("openssl/") and other in ("component", "smtp_bridge")):
                    self.assertEqual([], found)
                else:
                    self.assertEqual(1, len(found), (header, other))

    def test_in_front_of_the_ledger_nobody_knows_a_database(self):
        self.assertEqual(["queue/delivery/a.cpp: includes <sqlite3.h>, but SQLite is for queue/sqlite/ only"],
                         violations(queue__delivery__a_cpp="#include <sqlite3.h>\n"))

    def test_mail_does_no_io(self):
        self.assertEqual(["mail/a.cpp: includes <boost/asio.hpp>, but Boost.Asio is for "
                          "base, queue, component, smtp-bridge, app only"],
                         violations(mail__a_cpp="#include <boost/asio.hpp>\n"))
        self.assertEqual([], violations(base__a_cpp="#include <boost/asio/impl/src.hpp>\n"))

    def test_the_precompiled_header_stands_for_all(self):
        self.assertEqual([], violations(base__precompiled_hpp="#include <boost/asio.hpp>\n"))


class Tested(unittest.TestCase):
    def violations(self, header, *tests):
        return check_tested({"base/a.hpp": header, "base/a.cpp": "", "tests/unit/base/b.hpp": ""}, lambda name: name in tests)

    def test_a_unit_has_a_test_of_its_name(self):
        self.assertEqual([], self.violations("#pragma once\n", "tests/unit/base/a_test.cpp"))
        self.assertEqual(["base/a.hpp: there is no tests/unit/base/a_test.cpp, and it does not say what it is tested by"],
                         self.violations("// A: it is.\n#pragma once\n"))

    def test_or_it_says_what_it_is_tested_by(self):
        header = "// A: it is.\n//\n// Tested by tests/unit/base/b_test.cpp and\n// tests/e2e/test_a.py.\n#pragma once\n"
        self.assertEqual([], self.violations(header, "tests/unit/base/b_test.cpp", "tests/e2e/test_a.py"))
        self.assertEqual(["base/a.hpp: is tested by tests/e2e/test_a.py, it says, which is not there"],
                         self.violations(header, "tests/unit/base/b_test.cpp"))


class Files(unittest.TestCase):
    def test_a_circle_is_found_once(self):
        self.assertEqual(["includes in a circle: base/a -> base/b -> base/c -> base/a"],
                         violations(base__a_hpp='#include "base/b.hpp"\n',
                                    base__b_hpp='#include "base/c.hpp"\n',
                                    base__c_hpp='#include "base/a.hpp"\n'))
        self.assertEqual([], violations(base__a_hpp='#include "base/b.hpp"\n#include "base/c.hpp"\n',
                                        base__b_hpp='#include "base/c.hpp"\n', base__c_hpp=""))

    def test_a_circle_of_units_is_one_too(self):
        self.assertEqual(["includes in a circle: base/a -> base/b -> base/a"],
                         violations(base__a_hpp="", base__a_cpp='#include "base/a.hpp"\n#include "base/b.hpp"\n',
                                    base__b_hpp="", base__b_cpp='#include "base/b.hpp"\n#include "base/a.hpp"\n'))

    def test_a_header_is_included_once(self):
        self.assertEqual(["base/a.hpp: has no #pragma once"], check({"base/a.hpp": "// empty\n"})[0])
        self.assertEqual(["base/a.hpp: has no #pragma once"], check({"base/a.hpp": "// #pragma once\n"})[0])

    def test_a_file_has_an_end(self):
        self.assertEqual([], violations(base__a_cpp="\n" * MOST_LINES))
        self.assertEqual(["base/a.cpp: has 701 lines, and 700 are the most; split it"],
                         violations(base__a_cpp="\n" * (MOST_LINES + 1)))

    def test_what_is_commented_out_is_no_include(self):
        self.assertEqual(([], 1), check({"base/a.cpp": '// #include "app/x.hpp"\n#include <string>\n'}))


if __name__ == "__main__":
    unittest.main()
