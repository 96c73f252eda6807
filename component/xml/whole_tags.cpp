#include "component/xml/whole_tags.hpp"

#include <algorithm>
#include <utility>

namespace component {
namespace {

constexpr std::string_view kCdata = "<![CDATA[";
constexpr std::string_view kEndOfName = " \t\r\n/";

void add_whole(std::vector<WholeTags::Piece>& pieces, std::string_view bytes) {
    if (bytes.empty()) return;
    if (pieces.empty() || pieces.back().left_out > 0) pieces.emplace_back();
    pieces.back().bytes += bytes;
}

}  // namespace

std::vector<WholeTags::Piece> WholeTags::take(std::string_view bytes) {
    std::vector<Piece> pieces;
    while (!bytes.empty()) {
        std::size_t taken = 0;
        switch (in_) {
            case In::text:
                taken = take_text(bytes, pieces);
                break;
            case In::tag:
                taken = take_tag(bytes, pieces);
                break;
            case In::cdata:
                taken = take_cdata(bytes, pieces);
                break;
        }
        bytes.remove_prefix(taken);
    }
    return pieces;
}

std::size_t WholeTags::take_text(std::string_view bytes, std::vector<Piece>& pieces) {
    const std::size_t at = bytes.find('<');
    add_whole(pieces, bytes.substr(0, at));
    if (at == std::string_view::npos) return bytes.size();
    in_ = In::tag;
    held_ = '<';
    complete_ = left_out_ = 0;
    quote_ = '\0';
    last_ = '<';
    return at + 1;
}

std::size_t WholeTags::take_tag(std::string_view bytes, std::vector<Piece>& pieces) {
    const char first = bytes.front();
    // No tag, but a declaration, a comment, an instruction, or what may become a CDATA section.
    const bool is_other = held_ == "<" ? first == '!' || first == '?' : held_.starts_with("<!");
    if (is_other) {
        held_ += first;
        if (held_ == kCdata || !kCdata.starts_with(held_)) {
            in_ = held_ == kCdata ? In::cdata : In::text;
            brackets_ = 0;
            add_whole(pieces, std::exchange(held_, {}));
        }
        return 1;
    }
    const std::size_t at = quote_ != '\0' ? bytes.find(quote_) : bytes.find_first_of("'\">");
    const std::size_t taken = at == std::string_view::npos ? bytes.size() : at + 1;
    if (at != std::string_view::npos && bytes[at] == '>' && quote_ == '\0') {
        keep(bytes.substr(0, at));
        end_tag(pieces);
        return taken;
    }
    keep(bytes.substr(0, taken));
    if (at != std::string_view::npos) {
        const bool closes = quote_ != '\0';
        quote_ = closes ? '\0' : bytes[at];
        if (closes && left_out_ == 0) complete_ = held_.size();
    }
    return taken;
}

std::size_t WholeTags::take_cdata(std::string_view bytes, std::vector<Piece>& pieces) {
    std::size_t taken = 0;
    while (taken < bytes.size() && in_ == In::cdata) {
        const char c = bytes[taken++];
        if (c == '>' && brackets_ >= 2) in_ = In::text;
        brackets_ = c == ']' ? brackets_ + 1 : 0;
    }
    add_whole(pieces, bytes.substr(0, taken));
    return taken;
}

void WholeTags::keep(std::string_view bytes) {
    if (bytes.empty()) return;
    last_ = bytes.back();
    if (left_out_ == 0) held_ += bytes;
    if (left_out_ > 0) left_out_ += bytes.size();
    if (left_out_ > 0 || held_.size() <= longest_) return;
    // An attribute that is complete only beyond the bound goes, too.
    if (complete_ == 0 || complete_ > longest_) complete_ = held_.find_first_of(kEndOfName, 1);
    complete_ = std::min({complete_, held_.size(), longest_});
    left_out_ = held_.size() - complete_;
    held_.resize(complete_);
}

void WholeTags::end_tag(std::vector<Piece>& pieces) {
    in_ = In::text;
    const bool closes_itself = left_out_ > 0 && last_ == '/';
    held_ += closes_itself ? "/>" : ">";
    if (closes_itself) --left_out_;
    // It may be that nothing but this slash was beyond the bound.
    if (left_out_ == 0) return add_whole(pieces, std::exchange(held_, {}));
    pieces.push_back({std::exchange(held_, {}), left_out_});
}

}  // namespace component
