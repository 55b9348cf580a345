/// An event that workers pass, because its row cannot be read or the database refuses to settle it. It needs an operator.
package struct QuarantinedEvent: Sendable, Equatable {
  /// The row that is at fault.
  package let source: Lease.Source
  package let key: SeatKey
  /// Why it was quarantined.
  package let error: String

  package init(source: Lease.Source, key: SeatKey, error: String) {
    self.source = source
    self.key = key
    self.error = error
  }
}
