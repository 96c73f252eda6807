// For every test program; the printing of Result has to be known before any CHECK uses it.
#pragma once
#include "base/precompiled.hpp"
#include "support/catch_result.hpp"
