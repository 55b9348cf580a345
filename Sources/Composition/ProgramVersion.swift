/// What was built, and by what.
package enum ProgramVersion {
  /// As the changelog names it.
  package static let program = "unreleased"

  /// The release of the Swift compiler, major and minor.
  package static let compiler: String = {
    #if compiler(>=6.5)
      "6.5 or newer"
    #elseif compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }()
}
