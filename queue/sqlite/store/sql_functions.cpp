#include "queue/sqlite/store/sql_functions.hpp"

#include "base/text.hpp"
#include "mail/domain.hpp"

#include <new>

#include <sqlite3.h>

namespace queue {
namespace {

std::string domainpart(std::string_view jid) {
    const auto domain = mail::Domain::parse(jid);
    return domain ? domain->domainpart() : std::string(jid);
}

template <std::string (*how)(std::string_view)>
void apply(sqlite3_context* context, int, sqlite3_value** values) {
    const auto* const text = sqlite3_value_text(values[0]);
    if (text == nullptr) return sqlite3_result_null(context);
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
    try {
        const std::string result = how({reinterpret_cast<const char*>(text), size});
        sqlite3_result_text64(context, result.data(), result.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } catch (const std::bad_alloc&) {
        sqlite3_result_error_nomem(context);
    }
}

}  // namespace

std::string folded_address(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) return base::to_lower(address);
    const auto domain = mail::Domain::parse(address.substr(at + 1));
    if (!domain) return base::to_lower(address);
    return base::to_lower(address.substr(0, at + 1)) + domain->ascii();
}

void add_functions(SQLite::Database& connection) {
    connection.createFunction("folded_address", 1, true, nullptr, apply<folded_address>);
    connection.createFunction("domainpart", 1, true, nullptr, apply<domainpart>);
}

}  // namespace queue
