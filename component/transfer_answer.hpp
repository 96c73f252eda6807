// TransferAnswer: the one answer that a request with transfers gets, whatever happens to it.
//
// Shared by whoever works on the request; when the last one lets go without having answered, an
// internal-server-error does. Event loop only; the link outlives it.
#pragma once

#include "component/link.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace component {

/// The errors of the protocol (its element, and the condition that goes with it).
StanzaError busy(std::string text);
StanzaError malformed(std::string text);
StanzaError not_authorised(std::string text);
StanzaError id_reuse();

class TransferAnswer {
  public:
    /// `peer`: the bare JID that asked. `released` is called at the end.
    TransferAnswer(Link& link, IqHead head, std::string peer, std::function<void()> released);
    ~TransferAnswer();
    TransferAnswer(const TransferAnswer&) = delete;
    TransferAnswer& operator=(const TransferAnswer&) = delete;

    const std::string& peer() const { return peer_; }
    void fail(const StanzaError& error);
    /// The payload of an IQ result.
    void give(std::string_view payload);

  private:
    Link& link_;
    IqHead head_;
    std::string peer_;
    std::function<void()> released_;
    bool given_ = false;
};

}  // namespace component
