#include "mail/public_suffix.hpp"

#include <memory>

#include <libpsl.h>

namespace mail {
namespace {

/// The newer of the list that the library brings and the system's own.
const psl_ctx_t* public_suffixes() {
    static const std::unique_ptr<psl_ctx_t, void (*)(psl_ctx_t*)> list(psl_latest(nullptr),
                                                                       psl_free);
    return list.get();
}

}  // namespace

std::string registrable_domain(const std::string& name) {
    const auto* const list = public_suffixes();
    const char* const found =
        list == nullptr ? nullptr : psl_registrable_domain(list, name.c_str());
    return found == nullptr ? std::string() : std::string(found);
}

Domain organizational_domain(const Domain& domain) {
    if (domain.is_address_literal()) return domain;
    auto parsed = Domain::parse(registrable_domain(domain.ascii()));
    if (!parsed) return domain;
    return std::move(*parsed);
}

bool is_own_subdomain(const Domain& domain, const Domain& parent) {
    return domain.is_subdomain_of(parent) &&
           organizational_domain(domain) == organizational_domain(parent);
}

}  // namespace mail
