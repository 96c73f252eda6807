// For tests of what goes on by itself on an event loop.
#pragma once

#include "support/virtual_time.hpp"

#include <chrono>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

namespace support {

/// Runs the loop until `condition` holds. That it never does is found out late, as a machine may be
/// slow: nothing is measured here.
inline void run_until(boost::asio::io_context& io, const std::function<bool()>& condition) {
    if (VirtualTime* const time = VirtualTime::of(io)) {
        REQUIRE(time->run_until(condition));
        return;
    }
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(100);
    while (!condition() && std::chrono::steady_clock::now() < give_up) {
        io.restart();
        io.run_one_for(std::chrono::milliseconds(100));
    }
    REQUIRE(condition());
}

}  // namespace support
