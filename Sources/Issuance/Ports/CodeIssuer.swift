/// Asks the issuers of webhook campaigns for codes. Never called inside a transaction.
package protocol CodeIssuer: Sendable {
  /// Asks once.
  ///
  /// - Parameter deadline: how long it may take at most, name look-up and connection included.
  /// - Returns: a code, or why there is none, by its kind. It never throws: whatever goes wrong is an answer.
  func ask(_ call: CodeRequest, within deadline: Duration) async -> CodeResponse
}
