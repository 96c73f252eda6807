// IqHead: how an IQ is addressed.
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
