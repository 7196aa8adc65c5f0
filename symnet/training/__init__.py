"""Program + data -> fitted parameters and a log."""
