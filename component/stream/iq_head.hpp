// IqHead: how an IQ is addressed.
//
// Tested by tests/unit/component/stream/xml_reader_test.cpp.
#pragma once

#include <string>

namespace component {

struct IqHead {
    std::string type;
    std::string id;
    std::string from;
    std::string to;
};

}  // namespace component
