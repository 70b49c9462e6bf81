// The report of a copy as a packet: what a helper did since it last told.
#pragma once

#include "mover/tree/copy.h"
#include "mover/tree/packet.h"

namespace drydock::mover::tree {

void add_report(PacketWriter& packet, const CopyReport& report);
[[nodiscard]] CopyReport report_of(PacketReader& reader);

}  // namespace drydock::mover::tree
