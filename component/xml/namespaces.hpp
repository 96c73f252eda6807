// The XML namespaces that Packetboat speaks.
//
// Tested by tests/schema/test_schema.py.
#pragma once

#include <string_view>

namespace component::ns {

inline constexpr std::string_view kAccept = "jabber:component:accept";  ///< XEP-0114
inline constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kDiscoInfo =
    "http://jabber.org/protocol/disco#info";  ///< XEP-0030
inline constexpr std::string_view kDiscoItems =
    "http://jabber.org/protocol/disco#items";                      ///< XEP-0030
inline constexpr std::string_view kPing = "urn:xmpp:ping";         ///< XEP-0199
inline constexpr std::string_view kVersion = "jabber:iq:version";  ///< XEP-0092
inline constexpr std::string_view kData = "jabber:x:data";         ///< XEP-0004
inline constexpr std::string_view kServerInfo =
    "http://jabber.org/network/serverinfo";                       ///< XEP-0157
inline constexpr std::string_view kHashes = "urn:xmpp:hashes:2";  ///< XEP-0300
inline constexpr std::string_view kMailTransfer = "urn:xmpp:mail-transfer:0";

}  // namespace component::ns
