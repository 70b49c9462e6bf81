// The local transport: a child process for each conversation, with three pipes.
//
// All pipes are non-blocking. A send only appends to a buffer, and flush() writes as much as the
// pipe takes. So a host that stalls holds up no other host. Each read takes at most 1 MiB for the
// same reason. Standard error is read as well, because a child that fills that pipe would stall.
//
// When the stream ends, the last words of standard error become the error's text.
// docs/formats/agent-protocol.md has the protocol.
#include "transport/local/local.h"

#include "base/text.h"
#include "os/descriptors.h"
#include "os/process.h"
#include "transport/frames.h"
#include "transport/local/child_reaper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace drydock::transport {
namespace {

constexpr std::size_t k_outgoing_bytes_max = 64U << 20U;  // some frames of the largest size
constexpr std::size_t k_chunks_per_read_max = 16;         // 1 MiB at a time of each stream
constexpr std::size_t k_stderr_tail_bytes = 4096;
constexpr std::int64_t k_last_words_ms = 200;  // between the end of a stream and that of its child
constexpr std::int64_t k_finish_grace_ms = 300;  // for all agents together, at the end
constexpr std::string_view k_plain_signs = "/._-+@%=:,~";

constexpr std::size_t k_descriptors_per_host = 4;  // three pipes and the child's own
constexpr std::size_t k_descriptors_besides = 64;  // the journal, files, a child that starts

struct Pipe {
    os::Fd read;
    os::Fd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends = {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail_errno("transport.pipe", "making a pipe", errno);
    }
    return Pipe{os::Fd(ends[0]), os::Fd(ends[1])};
}

// Appends the bytes that are there, up to a limit; returns true if the other side closed the
// stream. The limit keeps a host that sends without end from holding up the others.
bool read_available(int descriptor, std::string& buffer) {
    std::array<char, 65536> chunk = {};
    for (std::size_t chunks = 0; chunks < k_chunks_per_read_max; ++chunks) {
        const auto size = ::read(descriptor, chunk.data(), chunk.size());
        if (size > 0) {
            buffer.append(chunk.data(), static_cast<std::size_t>(size));
        } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
            return true;
        } else if (errno == EAGAIN) {
            return false;
        }
    }
    return false;
}

class LocalConversation final : public Conversation {
public:
    LocalConversation(std::shared_ptr<ChildReaper> reaper,
                      std::string host,
                      std::unique_ptr<Opening> opening,
                      os::Child child,
                      os::Fd input,
                      os::Fd output,
                      os::Fd errors)
        : reaper_(std::move(reaper))
        , host_(std::move(host))
        , opening_(std::move(opening))
        , is_open_(opening_ == nullptr)
        , child_(std::move(child))
        , input_(std::move(input))
        , output_(std::move(output))
        , errors_(std::move(errors)) {
        for (const auto* end : {&input_, &output_, &errors_}) {
            ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
        }
    }

    ~LocalConversation() override {
        input_.close();
        output_.close();
        errors_.close();
        reaper_->take(std::move(child_));
    }

    LocalConversation(const LocalConversation&) = delete;
    LocalConversation& operator=(const LocalConversation&) = delete;

    Status send(const Json& frame) override {
        DRYDOCK_TRY_ASSIGN(const std::string bytes, encode_frame(frame));
        if (outgoing_.size() - sent_ + bytes.size() > k_outgoing_bytes_max) {
            return fail("transport.full",
                        fmt::format("the agent on {} takes no more requests", host_),
                        "see what holds that host up",
                        ErrorClass::transient);
        }
        outgoing_ += bytes;
        flush();
        return {};
    }

    // Returns frames before the error of the end, so that no answer that arrived is lost.
    Result<std::vector<Json>> receive() override {
        flush();
        std::string bytes;
        ended_ = read_available(output_.get(), bytes) || ended_;
        read_stderr();
        if (!is_open_) {
            DRYDOCK_TRY_ASSIGN(bytes, go_on_opening(bytes));
        }
        auto frames = reader_.feed(bytes);
        if (!frames) {
            return tl::unexpected(frames.error().with_context(host_));
        }
        if (frames->empty() && ended_) {
            return end_error();
        }
        return frames;
    }

    [[nodiscard]] int descriptor() const override { return output_.get(); }

    [[nodiscard]] bool wants_write() const override {
        return has_parcel() || (is_open_ && sent_ < outgoing_.size());
    }

    [[nodiscard]] int write_descriptor() const { return input_.get(); }

    // Returns standard error, or -1 after its end: a child that writes much to it must not stall
    // on a full pipe.
    [[nodiscard]] int error_descriptor() const { return errors_ended_ ? -1 : errors_.get(); }

    // Keeps the tail only, for end_error().
    void read_stderr() {
        errors_ended_ = errors_ended_ || read_available(errors_.get(), tail_);
        if (tail_.size() > k_stderr_tail_bytes) {
            tail_.erase(0, tail_.size() - k_stderr_tail_bytes);
        }
    }

    // Writes as much as the pipe takes. If the pipe is broken, the buffers are dropped; receive()
    // then finds the end of the stream.
    void flush() {
        if (has_parcel()) {
            write_some(*parcel_, parcel_sent_);
        }
        if (!has_parcel() && is_open_) {
            write_some(outgoing_, sent_);
        }
        if (lost_ || sent_ == outgoing_.size()) {  // a lost stream shows as the end in receive()
            outgoing_.clear();
            sent_ = 0;
        }
        if (lost_ || !has_parcel()) {
            parcel_.reset();
        }
    }

private:
    [[nodiscard]] bool has_parcel() const { return parcel_ && parcel_sent_ < parcel_->size(); }

    void write_some(const std::string& bytes, std::size_t& sent) {
        while (sent < bytes.size() && input_ && !lost_) {
            const auto rest = std::string_view(bytes).substr(sent);
            const auto size = ::write(input_.get(), rest.data(), rest.size());
            if (size >= 0) {
                sent += static_cast<std::size_t>(size);
            } else if (errno != EINTR) {
                lost_ = errno != EAGAIN;
                break;
            }
        }
    }

    // Gives what came to the opening, and returns what is for the frames.
    [[nodiscard]] Result<std::string> go_on_opening(const std::string& bytes) {
        auto step = opening_->take(bytes);
        if (!step) {
            return tl::unexpected(step.error().with_context(host_));
        }
        if (step->send) {
            parcel_ = std::move(step->send);
            parcel_sent_ = 0;
        }
        is_open_ = step->is_done;
        flush();
        return std::move(step->rest);
    }

    // Waits briefly for the child, since its exit and its last words come a moment after the end
    // of its output.
    [[nodiscard]] tl::unexpected<Error> end_error() {
        (void)child_.wait(k_last_words_ms);  // then its last words are in the pipe
        read_stderr();
        const auto exit = child_.wait(0);
        const std::string ending = exit ? exit->text() : "it closed its output";
        const std::string output = trim(tail_.empty() ? reader_.banner() : tail_);
        Error error = {"transport.ended",
                       fmt::format("{}: the agent's stream ended ({}){}",
                                   host_,
                                   ending,
                                   output.empty() ? "" : ": " + output),
                       "run the connect command by hand and see that it leads to an agent",
                       ErrorClass::transient};
        return tl::unexpected(opening_ ? opening_->explain_end(std::move(error), tail_) : error);
    }

    std::shared_ptr<ChildReaper> reaper_;  // the transport's, which may end first
    std::string host_;
    std::unique_ptr<Opening> opening_;           // null: the agent speaks at once
    bool is_open_;                               // the opening is done
    std::shared_ptr<const std::string> parcel_;  // what the opening sends
    std::size_t parcel_sent_ = 0;
    os::Child child_;
    os::Fd input_;   // the child's stdin
    os::Fd output_;  // the child's stdout
    os::Fd errors_;
    FrameReader reader_{FrameReader::Side::conductor};
    std::string outgoing_;
    std::size_t sent_ = 0;  // bytes of outgoing_ already written
    std::string tail_;      // of stderr
    bool ended_ = false;
    bool errors_ended_ = false;
    bool lost_ = false;
};

// Refuses a word that is not plain if it goes through `connect`. `ssh` and its like join their
// words and give them to a shell, which could split or expand it.
Status check_word(const HostAddress& host, const char* label, const std::string& word) {
    const bool is_plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || k_plain_signs.find(c) != std::string_view::npos;
    });
    if (host.connect.empty() || is_plain) {
        return {};
    }
    return fail(
        "transport.word",
        fmt::format(
            "{}: the {} `{}` would be read by a shell on that host", host.name, label, word),
        fmt::format("name one of letters, digits and {}", k_plain_signs));
}

// Returns CONNECT... BECOME... AGENT agent --state FOLDER.
Result<std::vector<std::string>> arguments(const HostAddress& host) {
    DRYDOCK_TRY(check_word(host, "agent", host.agent));
    DRYDOCK_TRY(LocalTransport::check_words(host));
    std::vector<std::string> argv = host.connect;
    argv.insert(argv.end(), host.become.begin(), host.become.end());
    argv.insert(argv.end(), {host.agent, "agent", "--state", host.state});
    return argv;
}

}  // namespace

LocalTransport::LocalTransport() : reaper_(std::make_shared<ChildReaper>()) {
    std::signal(SIGPIPE, SIG_IGN);
}

LocalTransport::~LocalTransport() {
    reaper_->finish(k_finish_grace_ms);
}

Status LocalTransport::reserve(std::size_t hosts) {
    return os::reserve_descriptors(hosts * k_descriptors_per_host + k_descriptors_besides);
}

Status LocalTransport::check_words(const HostAddress& host) {
    return check_word(host, "state folder", host.state);
}

Result<std::unique_ptr<Conversation>> LocalTransport::open(const HostAddress& host) {
    DRYDOCK_TRY_ASSIGN(auto argv, arguments(host));
    return start(host.name, std::move(argv), nullptr);
}

Result<std::unique_ptr<Conversation>> LocalTransport::start(const std::string& host,
                                                            std::vector<std::string> argv,
                                                            std::unique_ptr<Opening> opening) {
    reaper_->poll();
    DRYDOCK_TRY_ASSIGN(Pipe input, make_pipe());
    DRYDOCK_TRY_ASSIGN(Pipe output, make_pipe());
    DRYDOCK_TRY_ASSIGN(Pipe errors, make_pipe());
    os::SpawnOptions options;
    options.argv = std::move(argv);
    options.input = input.read.get();
    options.output = output.write.get();
    options.errors = errors.write.get();
    auto child = os::spawn(options);
    if (!child) {
        return tl::unexpected(child.error().with_context(host));
    }
    return std::make_unique<LocalConversation>(reaper_,
                                               host,
                                               std::move(opening),
                                               std::move(*child),
                                               std::move(input.write),
                                               std::move(output.read),
                                               std::move(errors.read));
}

// Polls all descriptors of all conversations at once; a negative descriptor is ignored by poll().
void LocalTransport::wait(const std::vector<Conversation*>& conversations,
                          std::int64_t timeout_ms) {
    std::vector<pollfd> polls;
    std::vector<LocalConversation*> ours;
    for (Conversation* conversation : conversations) {
        auto* local = dynamic_cast<LocalConversation*>(conversation);
        if (local != nullptr) {
            ours.push_back(local);
            polls.push_back({local->descriptor(), POLLIN, 0});
            polls.push_back({local->error_descriptor(), POLLIN, 0});
            polls.push_back({local->wants_write() ? local->write_descriptor() : -1, POLLOUT, 0});
        }
    }
    ::poll(polls.data(), polls.size(), static_cast<int>(timeout_ms));
    for (auto* local : ours) {
        local->flush();
        local->read_stderr();
    }
    reaper_->poll();
}

}  // namespace drydock::transport
