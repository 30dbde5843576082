"""`python -m privet` is the command `privet`."""

from privet.cli.main import main

if __name__ == "__main__":
    main()
