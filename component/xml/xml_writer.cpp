#include "component/xml/xml_writer.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace component {

bool is_xml_text(std::string_view text) {
    const auto forbidden = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    };
    if (std::ranges::any_of(text, forbidden)) return false;
    if (base::is_ascii(text)) return true;
    // U+FFFE and U+FFFF are valid UTF-8, but no XML.
    return base::is_utf8(text) && text.find("\xEF\xBF\xBE") == std::string_view::npos &&
           text.find("\xEF\xBF\xBF") == std::string_view::npos;
}

XmlWriter& XmlWriter::open(std::string_view name, std::string_view xmlns) {
    end_start_tag();
    out_ += '<';
    out_ += name;
    open_.emplace_back(name);
    in_start_tag_ = true;
    if (!xmlns.empty()) {
        out_ += " xmlns='";
        out_ += xmlns;
        out_ += '\'';
    }
    return *this;
}

XmlWriter& XmlWriter::attribute(std::string_view name, std::string_view value) {
    if (!in_start_tag_) bad_ = true;
    out_ += ' ';
    out_ += name;
    out_ += "='";
    escape(value);
    out_ += '\'';
    return *this;
}

XmlWriter& XmlWriter::text(std::string_view text) {
    end_start_tag();
    escape(text);
    return *this;
}

XmlWriter& XmlWriter::raw(std::string_view xml) {
    end_start_tag();
    out_ += xml;
    return *this;
}

XmlWriter& XmlWriter::close() {
    if (open_.empty()) {
        bad_ = true;
        return *this;
    }
    if (in_start_tag_) {
        out_ += "/>";
        in_start_tag_ = false;
    } else {
        out_ += "</";
        out_ += open_.back();
        out_ += '>';
    }
    open_.pop_back();
    return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view content) {
    open(name);
    if (!content.empty()) text(content);
    return close();
}

base::Result<std::string> XmlWriter::finish() {
    while (!open_.empty())
        close();
    if (bad_) return base::fail(base::Errc::protocol, "it contains characters that XML forbids");
    return std::move(out_);
}

void XmlWriter::end_start_tag() {
    if (in_start_tag_) out_ += '>';
    in_start_tag_ = false;
}

void XmlWriter::escape(std::string_view text) {
    if (!is_xml_text(text)) {
        bad_ = true;
        return;
    }
    for (const char c : text) {
        switch (c) {
            case '&':
                out_ += "&amp;";
                break;
            case '<':
                out_ += "&lt;";
                break;
            case '>':
                out_ += "&gt;";
                break;
            case '\'':
                out_ += "&apos;";
                break;
            case '"':
                out_ += "&quot;";
                break;
            // White space of these kinds is changed by every parser on the way unless it is
            // escaped.
            case '\t':
                out_ += "&#9;";
                break;
            case '\n':
                out_ += "&#10;";
                break;
            case '\r':
                out_ += "&#13;";
                break;
            default:
                out_ += c;
        }
    }
}

}  // namespace component
