/// What an operator did to a campaign and was told is done: it took effect at some instant from `begun` to `ended`.
///
/// The acts of one campaign are made one after the other. One that was refused, or whose outcome is not known, is none.
package struct Act: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case raised(to: Int)
    case paused
    case resumed
    /// It is final.
    case closed
  }

  package var campaign: String
  package var begun: UInt64
  package var ended: UInt64
  package var kind: Kind

  package init(campaign: String, begun: UInt64, ended: UInt64, kind: Kind) {
    self.campaign = campaign
    self.begun = begun
    self.ended = ended
    self.kind = kind
  }
}

extension Act {
  var span: Span { Span(earliest: begun, latest: ended) }
}
