#include "queue/peers/retirement.hpp"

namespace queue {
namespace {

using Names = std::set<std::string>;

base::Result<Names> load_names(Store& store) {
    Names names;
    Query find = store.database().query("SELECT component FROM retired");
    while (find.step())
        names.insert(find.text(0));
    return names;
}

base::Result<bool> set_name(Store& store, const std::string& component, bool retired) {
    if (retired) {
        Query insert = store.database().query(
            "INSERT INTO retired (component, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
        insert.bind(component, to_millis(store.now())).run();
    } else {
        Query remove = store.database().query("DELETE FROM retired WHERE component = ?1");
        remove.bind(component).run();
    }
    return retired;
}

}  // namespace

base::Task<base::Result<Names>> Retirement::load() {
    std::function<base::Result<Names>(Store&)> operation = load_names;
    base::Result<Names> names = co_await storage_.read<Names>(std::move(operation));
    co_return names;
}

base::Task<base::Result<void>> Retirement::set(std::string component, bool retired) {
    std::function<base::Result<bool>(Store&)> operation = [=](Store& store) {
        return set_name(store, component, retired);
    };
    const base::Result<Committed<bool>> done = co_await storage_.write<bool>(std::move(operation));
    if (!done) co_return done.error();
    co_return base::Result<void>();
}

}  // namespace queue
