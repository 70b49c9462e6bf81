// Visible: makes text from hosts, packs and files harmless for a terminal.
//
// All output of drydock passes visible(), the one function at its boundary. It shows control
// characters (C0, C1, DEL), characters that turn the direction of text, and invalid UTF-8 as
// `\u001b`, the form that JSON has for them, too. New lines and tabs stay. Of escape sequences only
// those of Screen pass. They carry a key that no process but this one knows.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace drydock::cli {

[[nodiscard]] std::string visible(std::string_view text);

// Makes text visible for one line: new lines are shown, too.
[[nodiscard]] std::string one_line(std::string_view text);

class VisibleBuffer final : public std::streambuf {
public:
    explicit VisibleBuffer(std::ostream& target) : target_(target) {}

protected:
    int_type overflow(int_type byte) override;
    std::streamsize xsputn(const char* bytes, std::streamsize size) override;
    int sync() override;

private:
    void pass(std::size_t size);

    std::ostream& target_;
    std::string waiting_;  // not written yet: a character may be cut in two
};

// A stream that writes its text, made visible, to another stream. Not thread-safe.
class VisibleStream final : public std::ostream {
public:
    // `target` must outlive this.
    explicit VisibleStream(std::ostream& target) : std::ostream(nullptr), buffer_(target) {
        rdbuf(&buffer_);
    }

    ~VisibleStream() override { flush(); }

    VisibleStream(const VisibleStream&) = delete;
    VisibleStream& operator=(const VisibleStream&) = delete;

private:
    VisibleBuffer buffer_;
};

}  // namespace drydock::cli
