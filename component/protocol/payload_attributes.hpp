// PayloadAttributes: the attributes of one element of the transfer protocol, read strictly.
//
// A view, for as long as the element's start tag is being read. The first mistake in them is
// written to the reason that the parser keeps; after one, the values that are returned mean
// nothing.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace component {

struct XmlAttribute {
    std::string_view xmlns;  ///< empty for most
    std::string_view name;
    std::string_view value;
};

class PayloadAttributes {
  public:
    PayloadAttributes(std::span<const XmlAttribute> attributes, std::string& why)
        : attributes_(attributes), why_(why) {}

    /// Others are a mistake; those of foreign namespaces are not looked at.
    void only(std::initializer_list<std::string_view> names) const;
    std::optional<std::string_view> find(std::string_view name) const;
    std::string_view required(std::string_view name) const;
    std::uint64_t number(std::string_view name, std::uint64_t most) const;
    /// xs:boolean; false where it is absent.
    bool flag(std::string_view name) const;

    /// A mistake of another kind.
    void fail(std::string why) const;
    bool failed() const { return !why_.empty(); }

  private:
    std::span<const XmlAttribute> attributes_;
    std::string& why_;
};

}  // namespace component
