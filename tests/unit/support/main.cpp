// Catch2's own main. Compiled without the precompiled header, which would hide the implementation.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
