// Result<T>: a value, or the Error that says why there is none.
//
// Parsers and I/O return it; nothing in the program returns a bare bool for "it failed". Exceptions
// are for start-up and broken invariants only. Reading value() of a failed Result is such a broken
// invariant.
#pragma once

#include <string>
#include <utility>

#include <boost/system/result.hpp>

namespace base {

/// What kind of failure it is: enough for a caller to choose its reply (SMTP code, stanza error,
/// exit).
enum class Errc {
    syntax,       ///< the input breaks the grammar it claims to follow
    limit,        ///< a bound of base/limits.hpp or of the configuration
    io,           ///< the operating system or the other end failed us
    closed,       ///< the other end closed, or we are stopping
    timeout,      ///< a time limit passed
    protocol,     ///< well-formed, but not allowed here
    refused,      ///< the other end, or policy, said no
    not_found,    ///< there is no such thing
    conflict,     ///< the same key means something else already
    unsupported,  ///< the other end can't do it
    storage,      ///< the queue's disk or database
    busy,         ///< a bound on work in flight; try again later
    damaged,      ///< what is stored can't be read as it was written
};

/// The word for `code` as it stands in logs.
const char* name(Errc code);

struct Error {
    Errc code = Errc::io;
    std::string text;  ///< fit for a log line and for a person: no secret, no line break
};

/// Makes the Error to return from a function with a Result: `return base::fail(Errc::syntax,
/// "...")`.
inline Error fail(Errc code, std::string text) {
    return Error{code, std::move(text)};
}

/// Called by value() of a failed Result: throws std::logic_error, as this is a bug of the caller.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
  public:
    using boost::system::result<T, Error>::result;
};

}  // namespace base
