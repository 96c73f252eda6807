// How Catch2 prints a Result in a failed CHECK: as a success, or as its error.
#pragma once

#include "base/result.hpp"

#include <catch2/catch.hpp>

namespace Catch {

template <class T>
struct StringMaker<base::Result<T>> {
    static std::string convert(const base::Result<T>& result) {
        return result ? "a value"
                      : std::string(base::name(result.error().code)) + ": " + result.error().text;
    }
};

}  // namespace Catch
