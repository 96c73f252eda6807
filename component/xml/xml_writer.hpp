// XmlWriter: writes one outgoing XML element as text, escaped, and never anything that is not XML.
//
// A value that owns its text. A character that XML 1.0 forbids, or text that is not UTF-8, fails
// the whole element (finish() says so): such a stanza would cost the link.
//
// Tested by tests/unit/component/stream/xml_reader_test.cpp and tests/fuzz/xml_stream.cpp.
#pragma once

#include "base/result.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace component {

class XmlWriter {
  public:
    XmlWriter() = default;
    /// `names` and `xmlns` are constants of ours and are not escaped.
    XmlWriter& open(std::string_view name, std::string_view xmlns = {});
    XmlWriter& attribute(std::string_view name, std::string_view value);
    template <std::integral T>
    XmlWriter& attribute(std::string_view name, T value) {
        return attribute(name, std::string_view(std::to_string(value)));
    }
    XmlWriter& text(std::string_view text);
    /// Complete elements that another writer made.
    XmlWriter& raw(std::string_view xml);
    /// Text that is known to need no escape: base64, a number.
    XmlWriter& plain(std::string_view text) { return raw(text); }
    XmlWriter& close();
    /// An element with text and nothing else.
    XmlWriter& element(std::string_view name, std::string_view text);

    void reserve(std::size_t bytes) { out_.reserve(bytes); }
    /// Closes what is open. Errc::protocol if something could not be written.
    base::Result<std::string> finish();

  private:
    void end_start_tag();
    void escape(std::string_view text);
    std::string out_;
    std::vector<std::string> open_;
    bool in_start_tag_ = false;
    bool bad_ = false;
};

/// True if every character of `text` (UTF-8) may stand in XML 1.0.
bool is_xml_text(std::string_view text);

}  // namespace component
