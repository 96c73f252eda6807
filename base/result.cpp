#include "base/result.hpp"

#include <stdexcept>

namespace base {

const char* name(Errc code) {
    switch (code) {
        case Errc::syntax:
            return "syntax";
        case Errc::limit:
            return "limit";
        case Errc::io:
            return "io";
        case Errc::closed:
            return "closed";
        case Errc::timeout:
            return "timeout";
        case Errc::protocol:
            return "protocol";
        case Errc::refused:
            return "refused";
        case Errc::not_found:
            return "not-found";
        case Errc::conflict:
            return "conflict";
        case Errc::unsupported:
            return "unsupported";
        case Errc::storage:
            return "storage";
        case Errc::busy:
            return "busy";
        case Errc::damaged:
            return "damaged";
    }
    return "unknown";
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    throw std::logic_error(std::string("unchecked result (") + name(error.code) + ": " +
                           error.text + ") at " + where.file_name() + ":" +
                           std::to_string(where.line()));
}

}  // namespace base
