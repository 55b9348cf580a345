internal import Crypto
internal import Foundation
internal import Issuance

/// The page: one document whose style and script are its own, and into which the present figures are written for
/// browsers that run no script.
struct LivePage: Sendable {
  /// `Page/live.html`, embedded in the program.
  static let embedded = LivePage(document: String(decoding: PackageResources.live_html, as: UTF8.self))

  /// Where the figures stand in the document.
  static let mark = "<!-- present figures -->"

  /// The value of the field Content-Security-Policy: nothing is run or loaded but what is in the document, by the hash
  /// of its bytes.
  let policy: String
  private let before: String
  private let after: String

  /// - Precondition: the document holds the mark once, and one style and one script.
  init(document: String) {
    let parts = document.components(separatedBy: Self.mark)
    precondition(parts.count == 2, "the page has one place for the figures")
    (before, after) = (parts[0], parts[1])
    policy = [
      "default-src 'none'", "style-src \(Self.hash(of: "style", in: document))",
      "script-src \(Self.hash(of: "script", in: document))", "img-src data:", "connect-src 'self'", "base-uri 'none'",
      "frame-ancestors 'none'", "form-action 'none'",
    ].joined(separator: "; ")
  }

  /// - Parameter id: of the campaign that is asked for; `nil` for all.
  func text(of id: String?, at point: StatsSample?) -> String {
    before + LiveTables(point, campaign: id).html + after
  }

  private static func hash(of element: String, in document: String) -> String {
    let parts = document.components(separatedBy: "<\(element)>")
    precondition(parts.count == 2, "the page has one \(element)")
    let content = parts[1].components(separatedBy: "</\(element)>")[0]
    return "'sha256-\(Data(SHA256.hash(data: Data(content.utf8))).base64EncodedString())'"
  }
}
