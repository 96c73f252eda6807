// answer_of: runs one question to its end on a loop of its own, for a subcommand that has none.
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace app {

/// Blocks until `ask` has an answer. Errc::timeout if it ends without one.
template <class T>
base::Result<T> answer_of(std::function<base::Task<base::Result<T>>()> ask) {
    std::optional<base::Result<T>> found;
    base::asio::io_context io(1);
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        base::Result<T> answer = co_await ask();
        found.emplace(std::move(answer));
    });
    io.run();
    if (!found) return base::fail(base::Errc::timeout, "it can't be asked");
    return std::move(*found);
}

}  // namespace app
