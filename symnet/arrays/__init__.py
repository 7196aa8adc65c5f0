"""Index expressions -> array expressions: what backends run and matrix notation prints. One lowering serves both."""
