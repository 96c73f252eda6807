// PayloadParser: the parser of one kind of payload of the transfer protocol (BatchParser and so
// on), and what they have in common.
//
// Each has a table of its elements: where it may stand, and what is done at its tags and with its
// text. Strict (protocol, "Sending a message"): whatever of our namespace is not in the table, and
// text where there is to be none, fails the payload, with the first reason; what belongs to other
// namespaces is ignored. Owns what it has parsed so far.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "base/text.hpp"
#include "component/protocol/payload_attributes.hpp"
#include "component/protocol/transfer.hpp"
#include "component/xml/namespaces.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace component {

class PayloadParser {
  public:
    virtual ~PayloadParser() = default;
    /// The payload's own start tag is the first.
    virtual void start(std::string_view xmlns, std::string_view name,
                       std::span<const XmlAttribute> given) = 0;
    virtual void text(std::string_view text) = 0;
    virtual void end() = 0;
    /// After the end tag of the payload.
    virtual TransferPayload take() = 0;

  protected:
    void fail(std::string why) {
        if (why_.empty()) why_ = std::move(why);
    }
    bool failed() const { return !why_.empty(); }

    std::string why_;  ///< of the first failure
};

template <class Payload>
struct PayloadElement {
    std::string_view parent;  ///< empty: it is the payload itself
    std::string_view name;
    void (Payload::*start)(const PayloadAttributes&);
    void (Payload::*text)(std::string_view) = nullptr;  ///< null: only blanks may stand in it
    void (Payload::*end)() = nullptr;
    std::string_view xmlns = ns::kMailTransfer;
};

/// Takes `Payload` through its elements. That has `elements()`, and `result()`, which is asked for
/// if nothing has failed. `Base`: what it shares with other payloads.
template <class Payload, class Base = PayloadParser>
class ElementParser : public Base {
  public:
    using Base::Base;

    void start(std::string_view xmlns, std::string_view name,
               std::span<const XmlAttribute> given) final {
        const Element* const here = find(xmlns, name);
        path_.push_back(here);
        const PayloadAttributes attributes(given, this->why_);
        if (here != nullptr) (payload().*here->start)(attributes);
    }

    void text(std::string_view text) final {
        const Element* const here = path_.back();
        if (here == nullptr || this->failed()) return;
        if (here->text != nullptr) return (payload().*here->text)(text);
        if (text.find_first_not_of(" \t\r\n") != std::string_view::npos)
            this->fail("text between elements");
    }

    void end() final {
        const Element* const here = path_.back();
        path_.pop_back();
        if (here != nullptr && here->end != nullptr && !this->failed()) (payload().*here->end)();
    }

    TransferPayload take() final {
        if (this->failed()) return Malformed{std::move(this->why_)};
        return payload().result();
    }

  private:
    using Element = PayloadElement<Payload>;

    Payload& payload() { return static_cast<Payload&>(*this); }

    /// Null for what is passed over: it is foreign, or in something that is, or behind a failure.
    const Element* find(std::string_view xmlns, std::string_view name) {
        if (this->failed() || (!path_.empty() && path_.back() == nullptr)) return nullptr;
        const std::string_view parent = path_.empty() ? std::string_view() : path_.back()->name;
        for (const Element& each : Payload::elements()) {
            if (each.parent == parent && each.name == name && each.xmlns == xmlns) return &each;
        }
        if (xmlns == ns::kMailTransfer)
            this->fail("undefined element " + base::printable(name, 40));
        return nullptr;
    }

    std::vector<const Element*> path_;  ///< of open elements
};

}  // namespace component
