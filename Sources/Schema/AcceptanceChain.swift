internal import Crypto

/// The chain of a campaign's acceptances. A published shape: each acceptance stores the value that follows from the one
/// before and from itself, so that one value stands for all acceptances up to it, and a changed, missing or exchanged one
/// shows at the next.
package enum AcceptanceChain {
  /// The value before the first acceptance, and before the first of a file that was migrated from version 1.
  package static let beginning = [UInt8](repeating: 0, count: 32)

  /// SHA-256 of the 32 bytes of the value before, and then, each ended by a line feed, the campaign's id, the seat, the
  /// user's id and `accepted_at` in microseconds, numbers in decimal. Ids hold no line feed.
  ///
  /// - Parameter previous: the value of the acceptance with the next lower seat.
  package static func value(
    after previous: [UInt8], campaign: String, seat: Int, user: String, acceptedAt: Int64
  ) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(previous.count + campaign.utf8.count + user.utf8.count + 48)
    message.append(contentsOf: previous)
    append(campaign, to: &message)
    append(String(seat), to: &message)
    append(user, to: &message)
    append(String(acceptedAt), to: &message)
    return Array(SHA256.hash(data: message))
  }

  private static func append(_ field: String, to message: inout [UInt8]) {
    message.append(contentsOf: field.utf8)
    message.append(UInt8(ascii: "\n"))
  }
}
