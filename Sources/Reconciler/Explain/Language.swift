/// In which language a person is told of a seat.
package enum Language: Sendable, CaseIterable {
  case english, korean

  /// By the locale of the process: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says something.
  package init(environment: [String: String]) {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    self = locale == "ko" || locale.hasPrefix("ko_") || locale.hasPrefix("ko.") ? .korean : .english
  }
}
