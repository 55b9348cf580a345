enum PublishedContract {
  static let openAPI = ""
  static let problemPages = ""
  static func problemPage(_ word: String) -> String? { nil }
}
