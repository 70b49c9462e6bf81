// Parcels: work that rank 0 offers, told so that another process can do it. Both name folders by
// their paths from the root and open them name by name, as the walk does.
#include "mover/tree/copier.h"
#include "mover/tree/direct_copy.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace drydock::mover::tree {
namespace {

enum class Parcel : std::int64_t { names, chunk };

PacketWriter begin_parcel(Parcel kind, const Folder& folder) {
    PacketWriter packet;
    packet.number(static_cast<std::int64_t>(kind)).text(folder.path());
    return packet;
}

void add_time(PacketWriter& packet, const Time& time) {
    packet.number(time.seconds).number(time.nanoseconds);
}

Time read_time(PacketReader& reader) {
    const std::int64_t seconds = reader.number();
    return {seconds, static_cast<std::uint32_t>(reader.number())};
}

// The folders of a path, none of them open.
FolderRef chain_of(const std::string& path) {
    auto folder = std::make_shared<Folder>();
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        auto inner = std::make_shared<Folder>();
        inner->parent = std::move(folder);
        inner->name = path.substr(begin, end - begin);
        folder = std::move(inner);
        begin = end + 1;
    }
    return folder;
}

}  // namespace

std::string chunk_parcel(const Folder& folder,
                         const std::string& name,
                         const Entry& entry,
                         std::int64_t chunk) {
    PacketWriter packet = begin_parcel(Parcel::chunk, folder);
    packet.text(name).number(chunk).number(entry.bytes);
    add_time(packet, entry.modified);
    add_time(packet, entry.changed);
    return packet.take();
}

// Files that are too large for one process come back in the answer.
Offer Copier::offer_names(const FolderRef& folder, const NamesRef& names) {
    Offer offer;
    offer.parcel = [folder, names] {
        PacketWriter packet = begin_parcel(Parcel::names, *folder);
        packet.number(folder->is_new ? 1 : 0).number(folder->existing ? 1 : 0);
        packet.number(static_cast<std::int64_t>(names->size()));
        for (const Name& name : *names) {
            packet.text(name.text).number(static_cast<std::int64_t>(name.listed));
        }
        return std::optional<std::string>(packet.take());
    };
    offer.then = [this, folder](Workspace& workspace, const Result<std::string>& answer) {
        PacketReader back(answer.value_or(std::string()));
        for (std::int64_t left = back.number(); left > 0; --left) {
            visit(workspace, folder, {back.text(), Listed::file, 0});
        }
        if (!answer) {
            fail(folder->path(), answer.error());
        }
        release(*this, workspace, folder);
    };
    return offer;
}

Result<std::string> Copier::do_parcel(Workspace& workspace, const std::string& parcel) {
    PacketReader reader(parcel);
    return static_cast<Parcel>(reader.number()) == Parcel::chunk ? do_chunk(workspace, reader)
                                                                 : do_names(workspace, reader);
}

Result<FolderRef> Copier::folder_at(const std::string& path, bool is_new, bool exists) {
    FolderRef folder = chain_of(path);
    folder->is_new = is_new;
    DRYDOCK_TRY_ASSIGN(folder->source, open_folder_below(parts_.source, path));
    DRYDOCK_TRY_ASSIGN(folder->staged, open_folder_below(staging_.folder(), path));
    DRYDOCK_TRY(note_left(*folder));
    if (exists) {
        DRYDOCK_TRY_ASSIGN(folder->existing, open_folder_below(staging_.target(), path));
    }
    return folder;
}

// Whoever is told that a parcel is done may give the folder its times: nothing is left open.
Result<std::string> Copier::do_names(Workspace& workspace, PacketReader& reader) {
    const std::string path = reader.text();
    const bool is_new = reader.number() != 0;
    const bool exists = reader.number() != 0;
    DRYDOCK_TRY_ASSIGN(const FolderRef folder, folder_at(path, is_new, exists));
    for (std::int64_t left = reader.number(); left > 0; --left) {
        Name name;
        name.text = reader.text();
        name.listed = static_cast<Listed>(reader.number());
        visit(workspace, folder, name);
    }
    flush(workspace);
    return std::string();
}

// Late writes of this host would change the time that rank 0 gives to the file: so it waits for
// them.
Result<std::string> Copier::do_chunk(Workspace& workspace, PacketReader& reader) {
    const std::string path = reader.text();
    const std::string name = reader.text();
    const std::int64_t chunk = reader.number();
    const std::int64_t bytes = reader.number();
    const Time modified = read_time(reader);
    const Time changed = read_time(reader);
    DRYDOCK_TRY_ASSIGN(const FolderRef folder, folder_at(path, false, false));
    DRYDOCK_TRY_ASSIGN(const os::Fd source, open_entry(folder->source.get(), name, O_RDONLY));
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(source.get(), ""));
    if (entry.bytes != bytes || entry.modified != modified || entry.changed != changed) {
        return drydock::fail("tree.changed", "it was changed while it was copied");
    }
    const os::Fd target(
        ::openat(folder->staged.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!target) {
        return fail_write("open the file", errno);
    }
    wait_for_rate(std::min(k_chunk_bytes, bytes));
    const auto direct = request_.profile.is_plain
                            ? std::nullopt
                            : DirectCopy::open(source.get(), target.get(), entry);
    DRYDOCK_TRY_ASSIGN(
        const FileData data,
        direct ? direct->copy_chunk(entry, chunk, request_.digest, workspace)
               : copy_chunk(source.get(), target.get(), entry, chunk, request_.digest, workspace));
    if (request_.is_durable && ::fdatasync(target.get()) != 0) {
        return fail_write("bring it to the disk", errno);
    }
    bytes_ += data.bytes;
    return PacketWriter().text(data.digest).number(data.bytes).take();
}

Status Copier::add_lines_of(std::size_t helper, bool are_removals, std::string_view lines) {
    const std::lock_guard lock(removals_mutex_);
    const std::size_t thread = are_removals ? removal_thread() : request_.workers.most + helper - 1;
    DRYDOCK_TRY(segments_.add_line(thread, lines.substr(0, lines.size() - 1)));
    return segments_.flush(thread);
}

}  // namespace drydock::mover::tree
