from lbsuite.cli import main

raise SystemExit(main())
