// Discovery: what a survey says of the closed lane.
#include "component/discovery/discovery.hpp"

namespace component {

/// Only the word of a component that speaks for the domain counts, for it or against it. That
/// nobody answers, or that the DNS has no server, takes nothing back: whoever is on the way could
/// have seen to that.
void Discovery::tell_of_promise(const mail::Domain& domain, const Judgement& judgement,
                                const DomainFacts& facts, const Asked& asked) {
    if (promises_ == nullptr || is_ours(domain)) return;
    queue::FormReading reading{domain, judgement.component, asked.verified};
    if (!judgement.component.empty()) {
        reading.until = facts.forms.at(judgement.component).promise_for(domain);
        reading.had_mail = asked.had_mail && judgement.component == asked.former;
    } else if (judgement.retired) {
        reading.component = asked.former;
    } else {
        return;
    }
    promises_->form_read(reading);
}

}  // namespace component
